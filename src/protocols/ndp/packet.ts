/** What carries a neighbor message: IPv6 and ICMPv6 with its checksum (RFC 8200 sections 3 and 8.1, RFC 4443). */
import { internetChecksum, Reader, Writer } from '../bytes/index.ts'
import { addressAt, bytesOf } from './address.ts'
import { decodeNdp, encodeNdp, malformed, type NdpMessage } from './message.ts'

const ICMPV6 = 58
/** Proof that no router has passed it on (RFC 4861 section 7.1). */
const HOP_LIMIT = 255

export interface NdpPacket {
  readonly source: bigint
  readonly destination: bigint
  readonly message: NdpMessage
}

/** An ICMPv6 message between two hosts of a link, from its type on. */
export interface LinkPacket {
  readonly source: bigint
  readonly destination: bigint
  readonly body: Uint8Array
}

/** Bytes behind the packet are padding. @throws DecodeError TRUNCATED, or MALFORMED for all that RFC 4861 discards */
export function decodePacket(bytes: Uint8Array): NdpPacket {
  const { body, ...ends } = openPacket(bytes)
  const message = decodeNdp(body)
  if (message.kind === 'advertisement' && message.solicited && ends.destination >> 120n === 0xffn)
    throw malformed('the solicited flag and to a group', 44, 'solicitedToGroup') // RFC 4861 section 7.1.2
  return { ...ends, message }
}

export function encodePacket({ message, ...ends }: NdpPacket): Uint8Array {
  return sealPacket({ ...ends, body: encodeNdp(message) })
}

/** @throws DecodeError as `decodePacket` does, for what all messages have in common (RFC 4861 sections 6.1 and 7.1) */
export function openPacket(bytes: Uint8Array): LinkPacket {
  const reader = new Reader(bytes)
  const version = reader.u8() >> 4
  if (version !== 6) throw malformed(`IP version ${version}`, 0)
  reader.skip(3)
  const length = reader.u16()
  const nextHeader = reader.u8()
  if (nextHeader !== ICMPV6) throw malformed(`next header ${nextHeader}`, 6)
  const hopLimit = reader.u8()
  if (hopLimit !== HOP_LIMIT) throw malformed(`hop limit ${hopLimit}`, 7, 'hopLimit')
  const source = reader.take(16)
  if (source[0] === 0xff) throw malformed('a multicast source', 8, 'multicastSource') // RFC 4291 section 2.7
  const destination = reader.take(16)
  const body = reader.take(length)
  if (internetChecksum(pseudoHeader(source, destination, length), body) !== 0)
    throw malformed('a wrong ICMPv6 checksum', 42, 'checksum')
  return { source: addressAt(source), destination: addressAt(destination), body }
}

/** Fills in the checksum of the body, which has none yet. */
export function sealPacket({ source: from, destination: to, body }: LinkPacket): Uint8Array {
  const [source, destination] = [bytesOf(from), bytesOf(to)]
  const checksum = internetChecksum(pseudoHeader(source, destination, body.length), body)
  body.set([checksum >> 8, checksum & 255], 2)
  const header = new Writer(72).u32(0x60000000).u16(body.length).u8(ICMPV6).u8(HOP_LIMIT)
  return header.put(source).put(destination).put(body).finish()
}

function pseudoHeader(source: Uint8Array, destination: Uint8Array, length: number): Uint8Array {
  return new Writer(40).put(source).put(destination).u32(length).u32(ICMPV6).finish()
}
