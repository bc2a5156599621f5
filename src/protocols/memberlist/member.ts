import { type Address, formatAddress } from '../../core/ip/index.ts'
import type { StateName } from './message/index.ts'

/** What is known of one node. */
export interface Member {
  readonly name: string
  readonly address: Address
  /** As the node itself wrote it; repeated unchanged, because peers compare the bytes (section 4.6). */
  readonly addr: Uint8Array
  readonly port: number
  readonly incarnation: number
  readonly meta: Uint8Array
  readonly vsn: Uint8Array
  readonly state: StateName
  /** Monotonic milliseconds of the last change of state. */
  readonly sinceMs: number
}

/** The protocol version from which a feature is understood. */
export const SPEAKS = { tcpPing: 3, nack: 4, checksum: 5 } as const

export const maxVersion = ({ vsn }: Member) => vsn[1] ?? 0

/** Counted by elections and by joins. */
export const isPresent = ({ state }: Member) => state === 'alive' || state === 'suspect'

export const isGone = ({ state }: Member) => state === 'dead' || state === 'left'

const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]

/** Both forms of IPv4 are read; undefined for anything that is no unicast address. */
export function addressOf(addr: Uint8Array): Address | undefined {
  const mapped = addr.length === 16 && MAPPED.every((byte, at) => addr[at] === byte)
  const bytes = mapped ? addr.subarray(12) : addr
  if (bytes.length !== 4 && bytes.length !== 16) return undefined
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  const multicast = bytes.length === 4 ? bytes[0]! >= 224 : bytes[0] === 0xff
  if (value === 0n || multicast) return undefined
  return { family: bytes.length === 4 ? 'ipv4' : 'ipv6', value }
}

/** 4 or 16 bytes. */
export function addrBytes({ family, value }: Address): Uint8Array {
  const length = family === 'ipv4' ? 4 : 16
  return Uint8Array.from({ length }, (_, at) => Number((value >> BigInt(8 * (length - 1 - at))) & 0xffn))
}

export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, at) => byte === right[at])
}

export const textOf = ({ name, address, port }: Member) => `${name} (${formatAddress(address)}:${port})`
