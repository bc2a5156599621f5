/** An IP address as a value: its family and the number it is. No zones. IPv4-mapped IPv6 text is the IPv4 address. */
export type Family = 'ipv4' | 'ipv6'

export interface Address {
  readonly family: Family
  /** Network byte order read as one unsigned integer, 32 or 128 bits wide. */
  readonly value: bigint
}

/** Width in bits of an address of the family. */
export const BITS: Readonly<Record<Family, number>> = { ipv4: 32, ipv6: 128 }

const MAPPED_PREFIX = 0xffffn

/**
 * Reads dotted-quad IPv4 without leading zeros or any RFC 4291 section 2.2 IPv6 form.
 * Answers undefined for everything else: zones, prefix lengths, blanks, `10.1`, `0x7f.1`.
 */
export function parseAddress(text: string): Address | undefined {
  if (!text.includes(':')) {
    const value = parseIPv4(text)
    return value === undefined ? undefined : { family: 'ipv4', value }
  }
  const value = parseIPv6(text)
  if (value === undefined) return undefined
  return value >> 32n === MAPPED_PREFIX ? { family: 'ipv4', value: value & 0xffffffffn } : { family: 'ipv6', value }
}

function parseIPv4(text: string): bigint | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  let value = 0
  for (const part of parts) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part)) return undefined
    const octet = Number(part)
    if (octet > 255) return undefined
    value = value * 256 + octet
  }
  return BigInt(value)
}

function parseIPv6(text: string): bigint | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = groupsOf(halves[0]!, halves.length === 1)
  const tail = halves.length === 2 ? groupsOf(halves[1]!, true) : []
  if (head === undefined || tail === undefined) return undefined
  const missing = 8 - head.length - tail.length
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined
  let value = 0n
  for (const group of [...head, ...Array<number>(missing).fill(0), ...tail]) value = (value << 16n) | BigInt(group)
  return value
}

/** The 16-bit groups of one side of `::`; the last may be a dotted quad where `endsText`. */
function groupsOf(side: string, endsText: boolean): number[] | undefined {
  if (side === '') return []
  const groups: number[] = []
  const parts = side.split(':')
  for (const [index, part] of parts.entries()) {
    if (endsText && index === parts.length - 1 && part.includes('.')) {
      const quad = parseIPv4(part)
      if (quad === undefined) return undefined
      groups.push(Number(quad >> 16n), Number(quad & 0xffffn))
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined
      groups.push(Number.parseInt(part, 16))
    }
  }
  return groups
}

/** Canonical text: dotted quad, or RFC 5952 section 4 without mixed notation. The election hashes this text. */
export function formatAddress(address: Address): string {
  return address.family === 'ipv4' ? formatIPv4(Number(address.value)) : formatIPv6(address.value)
}

function formatIPv4(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`
}

function formatIPv6(value: bigint): string {
  const groups: number[] = []
  for (let shift = 112n; shift >= 0n; shift -= 16n) groups.push(Number((value >> shift) & 0xffffn))
  const { start, length } = longestZeroRun(groups)
  const hex = (part: number[]) => part.map(group => group.toString(16)).join(':')
  if (length < 2) return hex(groups)
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  let start = 0
  for (let index = 0; index <= groups.length; index++) {
    if (groups[index] === 0) continue
    if (index - start > best.length) best = { start, length: index - start }
    start = index + 1
  }
  return best
}

/** IPv4 before IPv6, then by number. */
export function compareAddresses(a: Address, b: Address): number {
  if (a.family !== b.family) return a.family === 'ipv4' ? -1 : 1
  return a.value < b.value ? -1 : a.value > b.value ? 1 : 0
}

export function sameAddress(a: Address, b: Address): boolean {
  return a.family === b.family && a.value === b.value
}

/** 4 or 16 bytes in network byte order. */
export function addressBytes(address: Address): Uint8Array {
  const bytes = new Uint8Array(BITS[address.family] / 8)
  let rest = address.value
  for (let index = bytes.length - 1; index >= 0; index--) {
    bytes[index] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return bytes
}

/** The address in 4 or 16 bytes; undefined for any other length. Mapped bytes become IPv4. */
export function addressFromBytes(bytes: Uint8Array): Address | undefined {
  if (bytes.length !== 4 && bytes.length !== 16) return undefined
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  if (bytes.length === 4) return { family: 'ipv4', value }
  return value >> 32n === MAPPED_PREFIX ? { family: 'ipv4', value: value & 0xffffffffn } : { family: 'ipv6', value }
}
