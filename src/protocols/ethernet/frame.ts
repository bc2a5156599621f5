/** Ethernet II frames (RFC 894), with the VLAN tags of IEEE 802.1Q and 802.1ad skipped. */
import { type Mac, macBytes, macFromBytes } from '../../core/ip/index.ts'
import { Reader, Writer } from '../bytes/index.ts'

export const ETHERTYPE_ARP = 0x0806
export const ETHERTYPE_IPV6 = 0x86dd
const VLAN = 0x8100
const PROVIDER_VLAN = 0x88a8

/** The shortest frame the wire carries, without its checksum (IEEE 802.3 section 3.2.8). */
export const MINIMUM_FRAME = 60
export const HEADER_LENGTH = 14

export interface Frame {
  readonly destination: Mac
  readonly source: Mac
  /** Behind the tags, where there are any. */
  readonly etherType: number
  /** Padding included: only the payload's own length fields tell them apart. */
  readonly payload: Uint8Array
}

/** @throws DecodeError TRUNCATED */
export function decodeFrame(bytes: Uint8Array): Frame {
  const reader = new Reader(bytes)
  const destination = macFromBytes(reader.take(6))
  const source = macFromBytes(reader.take(6))
  let etherType = reader.u16()
  while (etherType === VLAN || etherType === PROVIDER_VLAN) {
    reader.skip(2)
    etherType = reader.u16()
  }
  return { destination, source, etherType, payload: reader.rest() }
}

/** Untagged, zero-padded to the minimum length. */
export function encodeFrame(frame: Frame): Uint8Array {
  return new Writer(MINIMUM_FRAME)
    .put(macBytes(frame.destination))
    .put(macBytes(frame.source))
    .u16(frame.etherType)
    .put(frame.payload)
    .padTo(MINIMUM_FRAME)
    .finish()
}

/** Where the payload of a frame of this type begins, without allocating; -1 where it is short or of another type. */
export function payloadOffset(bytes: Uint8Array, length: number, etherType: number): number {
  for (let at = 12; at + 2 <= length; at += 4) {
    const type = (bytes[at]! << 8) | bytes[at + 1]!
    if (type === etherType) return at + 2
    if (type !== VLAN && type !== PROVIDER_VLAN) return -1
  }
  return -1
}
