/** Neighbor Solicitation and Advertisement as ICMPv6 bodies, from the type on (RFC 4861 sections 4.3, 4.4 and 4.6). */
import { type Mac, macBytes, macFromBytes } from '../../core/ip/index.ts'
import { Reader, Writer } from '../bytes/index.ts'
import { addressAt, bytesOf } from './address.ts'
import { type InvalidReason, NdpError } from './errors.ts'

export const SOLICITATION = 135
export const ADVERTISEMENT = 136

export const SOURCE_LINK_LAYER = 1
export const TARGET_LINK_LAYER = 2
const ROUTER = 0x80
const SOLICITED = 0x40
const OVERRIDE = 0x20

export interface Solicitation {
  readonly kind: 'solicitation'
  readonly target: bigint
  /** Of whoever asks; duplicate address detection has none. */
  readonly linkLayer?: Mac
}

export interface Advertisement {
  readonly kind: 'advertisement'
  readonly target: bigint
  readonly router: boolean
  readonly solicited: boolean
  /** Replaces what a neighbour has cached. */
  readonly override: boolean
  /** Of the target. */
  readonly linkLayer?: Mac
}

export type NdpMessage = Solicitation | Advertisement

/** The checksum is the envelope's matter. @throws DecodeError TRUNCATED, or MALFORMED for all that RFC 4861 discards */
export function decodeNdp(bytes: Uint8Array): NdpMessage {
  const reader = new Reader(bytes)
  const type = reader.u8()
  if (type !== SOLICITATION && type !== ADVERTISEMENT) throw malformed(`type ${type}`, 0)
  const code = reader.u8()
  if (code !== 0) throw malformed(`code ${code}`, 1, 'code')
  reader.skip(2)
  const flags = reader.u8()
  reader.skip(3)
  const target = addressAt(reader.take(16))
  if (target >> 120n === 0xffn) throw malformed('a multicast target', 8, 'multicastTarget')
  const wanted = type === SOLICITATION ? SOURCE_LINK_LAYER : TARGET_LINK_LAYER
  const option = { target, ...decodeOptions(reader, wanted) }
  if (type === SOLICITATION) return { kind: 'solicitation', ...option }
  const has = (flag: number) => (flags & flag) !== 0
  return { kind: 'advertisement', router: has(ROUTER), solicited: has(SOLICITED), override: has(OVERRIDE), ...option }
}

/** Lengths are in units of eight bytes and never zero; options of other types are skipped (RFC 4861 section 4.6). */
export function decodeOptions(reader: Reader, wanted: number): { linkLayer?: Mac } {
  let found: { linkLayer?: Mac } = {}
  while (reader.remaining > 0) {
    const at = reader.offset
    const type = reader.u8()
    const length = 8 * reader.u8()
    if (length === 0) throw malformed('an option of length 0', at + 1, 'emptyOption')
    const value = reader.take(length - 2)
    if (type === wanted && length === 8) found = { linkLayer: macFromBytes(value) }
  }
  return found
}

export function malformed(what: string, offset: number, reason: InvalidReason = 'malformed'): NdpError {
  return new NdpError(reason, what, offset)
}

/** With a checksum of zero, for the envelope to fill in. */
export function encodeNdp(message: NdpMessage): Uint8Array {
  const writer = new Writer(32)
  const solicitation = message.kind === 'solicitation'
  writer
    .u8(solicitation ? SOLICITATION : ADVERTISEMENT)
    .u8(0)
    .u16(0)
  writer.u8(solicitation ? 0 : flagsOf(message)).put(new Uint8Array(3))
  writer.put(bytesOf(message.target))
  putLinkLayer(writer, solicitation ? SOURCE_LINK_LAYER : TARGET_LINK_LAYER, message.linkLayer)
  return writer.finish()
}

/** The option, or nothing where there is no address. */
export function putLinkLayer(writer: Writer, type: number, linkLayer: Mac | undefined): void {
  if (linkLayer !== undefined) writer.u8(type).u8(1).put(macBytes(linkLayer))
}

function flagsOf({ router, solicited, override }: Advertisement): number {
  return (router ? ROUTER : 0) | (solicited ? SOLICITED : 0) | (override ? OVERRIDE : 0)
}
