/**
 * The usual solicitation is answered, and the usual advertisement made, in place: nothing is allocated but the numbers of
 * addresses. What is right is written down in `responder.ts`; the test holds both against each other.
 */
import { type Claim, ETHERTYPE_IPV6, HEADER_LENGTH, matches, payloadOffset, type Responder } from '../ethernet/index.ts'
import { ALL_NODES } from './address.ts'
import { ADVERTISEMENT, SOLICITATION, SOURCE_LINK_LAYER, TARGET_LINK_LAYER } from './message.ts'

const ICMPV6 = 58
const HOP_LIMIT = 255
const IPV6_HEADER = 40
/** Header, target, and the link-layer option. */
const ADVERTISEMENT_LENGTH = 32
const FRAME_LENGTH = HEADER_LENGTH + IPV6_HEADER + ADVERTISEMENT_LENGTH

/** Within the IPv6 packet. */
const NEXT_HEADER = 6
const SOURCE = 8
const DESTINATION = 24
const TYPE = 40
const TARGET = 48
const OPTIONS = 64

const SOLICITED_AND_OVERRIDE = 0x60
const OVERRIDE = 0x20

export class InPlace {
  /** An advertisement, whole; the next call writes another over it. */
  readonly frame = new Uint8Array(FRAME_LENGTH)
  readonly #view = new DataView(this.frame.buffer)
  /** The address of the last answer. */
  asked = 0n
  #read: DataView<ArrayBufferLike> = this.#view
  #readFrom: Uint8Array = this.frame

  constructor() {
    this.#view.setUint16(12, ETHERTYPE_IPV6)
    this.#view.setUint32(HEADER_LENGTH, 0x60000000)
    this.#view.setUint16(HEADER_LENGTH + 4, ADVERTISEMENT_LENGTH)
    this.frame.set([ICMPV6, HOP_LIMIT], HEADER_LENGTH + NEXT_HEADER)
    this.frame[HEADER_LENGTH + TYPE] = ADVERTISEMENT
    this.frame.set([TARGET_LINK_LAYER, 1], HEADER_LENGTH + OPTIONS)
  }

  /** True where `frame` answers it; false where it is not the usual one, or is not to be answered. */
  answer(frame: Uint8Array, length: number, on: Responder, claims: ReadonlyMap<bigint, Claim>): boolean {
    const at = payloadOffset(frame, length, ETHERTYPE_IPV6)
    if (at < 0 || !isWhole(frame, at, length, SOLICITATION)) return false
    const option = at + OPTIONS
    const saysItsMac = frame[option] === SOURCE_LINK_LAYER && frame[option + 1] === 1
    if (!saysItsMac || isUnspecified(frame, at + SOURCE) || frame[at + SOURCE] === 0xff || frame[at + TARGET] === 0xff)
      return false
    const toGroup = frame[0] === 0x33 && frame[1] === 0x33
    if (!toGroup && !isSame(frame, 0, on.mac)) return false
    const target = this.#addressIn(frame, at + TARGET)
    const claim = claims.get(target)
    if (claim === undefined || !matches(claim, on.name)) return false
    this.asked = target
    copy(frame, option + 2, this.frame, 0, 6)
    copy(frame, at + SOURCE, this.frame, HEADER_LENGTH + DESTINATION, 16)
    this.#finish(target, SOLICITED_AND_OVERRIDE, on)
    return true
  }

  /** Tells the segment who has the address (section 3.4). */
  gratuitous(target: bigint, on: Responder): Uint8Array {
    this.#view.setUint16(0, 0x3333)
    this.#view.setUint32(2, 1)
    this.#put(HEADER_LENGTH + DESTINATION, ALL_NODES)
    this.#finish(target, OVERRIDE, on)
    return this.frame
  }

  /** All but the destinations. */
  #finish(target: bigint, flags: number, on: Responder): void {
    const { frame } = this
    copy(on.mac, 0, frame, 6, 6)
    this.#put(HEADER_LENGTH + SOURCE, on.linkLocal!)
    frame[HEADER_LENGTH + TYPE + 4] = flags
    this.#put(HEADER_LENGTH + TARGET, target)
    copy(on.mac, 0, frame, HEADER_LENGTH + OPTIONS + 2, 6)
    this.#view.setUint16(HEADER_LENGTH + TYPE + 2, 0)
    this.#view.setUint16(HEADER_LENGTH + TYPE + 2, checksum(frame, HEADER_LENGTH, ADVERTISEMENT_LENGTH))
  }

  #put(at: number, address: bigint): void {
    this.#view.setBigUint64(at, address >> 64n)
    this.#view.setBigUint64(at + 8, address & 0xffff_ffff_ffff_ffffn)
  }

  #addressIn(bytes: Uint8Array, at: number): bigint {
    if (bytes !== this.#readFrom) {
      this.#readFrom = bytes
      this.#read = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    }
    return (this.#read.getBigUint64(at) << 64n) | this.#read.getBigUint64(at + 8)
  }
}

/** Whether a frame may hold a message of the type, valid or not: a look at its place. */
export function mayBe(frame: Uint8Array, length: number, type: number): boolean {
  const at = payloadOffset(frame, length, ETHERTYPE_IPV6)
  return at >= 0 && at + TYPE < length && frame[at + NEXT_HEADER] === ICMPV6 && frame[at + TYPE] === type
}

/** Whether a frame may say that its sender has an address, or is about to: an advertisement, or a solicitation from nobody. */
export function mayClaim(frame: Uint8Array, length: number): boolean {
  if (mayBe(frame, length, ADVERTISEMENT)) return true
  return (
    mayBe(frame, length, SOLICITATION) && isUnspecified(frame, payloadOffset(frame, length, ETHERTYPE_IPV6) + SOURCE)
  )
}

/** A message of the type with its fixed part and one option, which RFC 4861 section 7.1 does not discard. */
function isWhole(frame: Uint8Array, at: number, length: number, type: number): boolean {
  const body = (frame[at + 4]! << 8) | frame[at + 5]!
  if (body !== ADVERTISEMENT_LENGTH || length < at + IPV6_HEADER + body || frame[at]! >> 4 !== 6) return false
  if (frame[at + NEXT_HEADER] !== ICMPV6 || frame[at + NEXT_HEADER + 1] !== HOP_LIMIT) return false
  return frame[at + TYPE] === type && frame[at + TYPE + 1] === 0 && checksum(frame, at, body) === 0
}

/** Over both addresses, the length, the protocol and the body (RFC 8200 section 8.1). */
function checksum(bytes: Uint8Array, at: number, body: number): number {
  let sum = body + ICMPV6
  const end = at + IPV6_HEADER + body
  for (let index = at + SOURCE; index < end; index += 2) sum += (bytes[index]! << 8) | bytes[index + 1]!
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

function isUnspecified(bytes: Uint8Array, at: number): boolean {
  for (let index = 0; index < 16; index++) if (bytes[at + index] !== 0) return false
  return true
}

function isSame(bytes: Uint8Array, at: number, mac: Uint8Array): boolean {
  for (let index = 0; index < 6; index++) if (bytes[at + index] !== mac[index]) return false
  return true
}

function copy(from: Uint8Array, at: number, to: Uint8Array, toAt: number, count: number): void {
  for (let index = 0; index < count; index++) to[toAt + index] = from[at + index]!
}
