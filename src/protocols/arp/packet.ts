/** ARP packets for IPv4 over Ethernet (RFC 826). */
import { type Address, addressBytes, addressFromBytes, type Mac, macBytes, macFromBytes } from '../../core/ip/index.ts'
import { DecodeError, Reader, Writer } from '../bytes/index.ts'

export const REQUEST = 1
export const REPLY = 2
export const PACKET_LENGTH = 28

const ETHERNET = 1
/** Some stacks name their Ethernet by this hardware type; receivers take both (RFC 1122 section 2.3.3, Linux). */
const IEEE_802 = 6
const IPV4 = 0x0800

export interface ArpPacket {
  /** 1 request, 2 reply; others are kept as they are. */
  readonly operation: number
  readonly senderMac: Mac
  readonly senderIp: Address
  readonly targetMac: Mac
  readonly targetIp: Address
}

/** Bytes behind the packet are padding. @throws DecodeError TRUNCATED, or MALFORMED where it is not IPv4 over Ethernet */
export function decodeArp(bytes: Uint8Array): ArpPacket {
  const reader = new Reader(bytes)
  const hardware = reader.u16()
  if (hardware !== ETHERNET && hardware !== IEEE_802) throw malformed(`hardware type ${hardware}`, 0)
  const protocol = reader.u16()
  if (protocol !== IPV4) throw malformed(`protocol type ${protocol}`, 2)
  const lengths = reader.u16()
  if (lengths !== 0x0604) throw malformed(`address lengths ${lengths >> 8} and ${lengths & 255}`, 4)
  return {
    operation: reader.u16(),
    senderMac: macFromBytes(reader.take(6)),
    senderIp: addressFromBytes(reader.take(4))!,
    targetMac: macFromBytes(reader.take(6)),
    targetIp: addressFromBytes(reader.take(4))!,
  }
}

function malformed(what: string, offset: number): DecodeError {
  return new DecodeError('MALFORMED', `ARP with ${what} is not IPv4 over Ethernet`, offset)
}

export function encodeArp(packet: ArpPacket): Uint8Array {
  return new Writer(PACKET_LENGTH)
    .u16(ETHERNET)
    .u16(IPV4)
    .u16(0x0604)
    .u16(packet.operation)
    .put(macBytes(packet.senderMac))
    .put(addressBytes(packet.senderIp))
    .put(macBytes(packet.targetMac))
    .put(addressBytes(packet.targetIp))
    .finish()
}
