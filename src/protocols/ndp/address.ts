/** IPv6 addresses as plain numbers: keys of the table, and what packets carry. */
import { addressBytes, formatAddress, type Mac, macFromBytes } from '../../core/ip/index.ts'

export const UNSPECIFIED = 0n
/** ff02::1 */
export const ALL_NODES = (0xff02n << 112n) | 1n

const SOLICITED_NODE_PREFIX = (0xff02n << 112n) | (0x1ffn << 24n)

/** ff02::1:ff and the low 24 bits of the address (RFC 4291 section 2.7.1). */
export function solicitedNode(address: bigint): bigint {
  return SOLICITED_NODE_PREFIX | (address & 0xffffffn)
}

/** Where frames to a group go (RFC 2464 section 7). */
export function groupMac(group: bigint): Mac {
  return macFromBytes(Uint8Array.of(0x33, 0x33, ...bytesOf(group).subarray(12)))
}

export function bytesOf(address: bigint): Uint8Array {
  return addressBytes({ family: 'ipv6', value: address })
}

export function textOf(address: bigint): string {
  return formatAddress({ family: 'ipv6', value: address })
}

/** Of sixteen bytes. */
export function addressAt(bytes: Uint8Array): bigint {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  return value
}
