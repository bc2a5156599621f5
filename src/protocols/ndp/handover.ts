/**
 * The words of a hand-over in NDP: an option of experimental type (RFC 4727 section 5.3) that hosts skip as they skip every
 * option they do not know (RFC 4861 section 4.6), behind a message that is true without it. The question is a solicitation
 * for the address to one host; the answer advertises the sender's own link-local address and names the one it lets go in
 * the option. No host learns from either but what is so.
 */
import { type Mac, macFromBytes } from '../../core/ip/index.ts'
import { Writer } from '../bytes/index.ts'
import {
  ETHERTYPE_IPV6,
  encodeFrame,
  type HandoverVoice,
  payloadOffset,
  type Release,
  type Responder,
} from '../ethernet/index.ts'
import { addressAt, bytesOf, solicitedNode } from './address.ts'
import { mayBe } from './in-place.ts'
import { ADVERTISEMENT, encodeNdp, type NdpMessage, SOLICITATION } from './message.ts'
import { sealPacket } from './packet.ts'
import { readFrame, speaker } from './responder.ts'

const EXPERIMENT = 253
/** "MH", as in ARP. */
const MARK = 0x4d48
/** Within the IPv6 packet: behind the target and the link-layer option. */
const OPTION = 72
/** In units of eight bytes, without and with an address. */
const QUESTION = 1
const ANSWER = 3
/** In a question, where an answer has the fingerprint. */
const EARLY = 1

export const handover: HandoverVoice<bigint> = {
  /**
   * A switch that snoops delivers what is sent to a group once it has heard the report of the new member, which Linux sends
   * after two ticks.
   */
  settleMs: 50,
  poll: (key, to, { id, isEarly }, on) => {
    const message = { kind: 'solicitation', target: key, linkLayer: macFromBytes(on.mac) } as const
    return marked(message, solicitedNode(key), to, option(QUESTION, { id, last: isEarly ? EARLY : 0 }), on)
  },
  pollOf: (frame, length) => {
    const read = readOption(frame, length, SOLICITATION, QUESTION)
    return read && { id: read.id, isEarly: read.last === EARLY, from: macFromBytes(frame, 6) }
  },
  release: (key, to, release, on) => {
    const flags = { router: false, solicited: false, override: false }
    const message = { kind: 'advertisement', target: on.linkLocal!, ...flags, linkLayer: macFromBytes(on.mac) } as const
    return marked(message, solicitedNode(key), to, option(ANSWER, release, key), on)
  },
  releaseOf: (frame, length) => {
    const read = readOption(frame, length, ADVERTISEMENT, ANSWER)
    const received = read && readFrame(frame.subarray(0, length))
    if (read === undefined || received === undefined) return undefined
    const key = addressAt(frame.subarray(read.at + 8, read.at + 24))
    return { key, from: speaker(received), id: read.id, last: read.last }
  },
  fingerprint,
}

/**
 * To the group of the address, whose members both are, in a frame to one of them: to the address itself a kernel would
 * forward it.
 */
function marked(message: NdpMessage, destination: bigint, to: Mac, mark: Uint8Array, on: Responder): Uint8Array {
  const body = new Writer(56).put(encodeNdp(message)).put(mark).finish()
  const payload = sealPacket({ source: on.linkLocal!, destination, body })
  return encodeFrame({ destination: to, source: macFromBytes(on.mac), etherType: ETHERTYPE_IPV6, payload })
}

function option(length: number, { id, last }: Release, key?: bigint): Uint8Array {
  const writer = new Writer(8 * length)
    .u8(EXPERIMENT)
    .u8(length)
    .u16(MARK)
    .u32(id * 0x1000000 + last)
  if (key !== undefined) writer.put(bytesOf(key))
  return writer.finish()
}

/** Where the option is in the frame, and its numbers. Read once for each request while addresses change hands: in place. */
function readOption(
  frame: Uint8Array,
  length: number,
  type: number,
  units: number,
): (Release & { at: number }) | undefined {
  if (!mayBe(frame, length, type)) return undefined
  const at = payloadOffset(frame, length, ETHERTYPE_IPV6) + OPTION
  if (length < at + 8 * units || frame[at] !== EXPERIMENT || frame[at + 1] !== units) return undefined
  if (((frame[at + 2]! << 8) | frame[at + 3]!) !== MARK) return undefined
  return { at, id: frame[at + 4]!, last: (frame[at + 5]! << 16) | (frame[at + 6]! << 8) | frame[at + 7]! }
}

/** Of the sender's MAC and address, 1 to 2^24 - 1 (FNV-1a). */
function fingerprint(frame: Uint8Array, length: number): number {
  const source = payloadOffset(frame, length, ETHERTYPE_IPV6) + 8
  let hash = 0x811c9dc5
  for (let at = 6; at < 12; at++) hash = Math.imul(hash ^ frame[at]!, 0x01000193)
  for (let at = source; at < source + 16; at++) hash = Math.imul(hash ^ frame[at]!, 0x01000193)
  return ((hash >>> 8) ^ (hash & 0xff)) & 0xffffff || 1
}
