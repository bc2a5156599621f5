/** Address ranges and prefixes: parse, split, count, contain. Both ends of a range belong to it. */
import { type Address, BITS, type Family, formatAddress, parseAddress } from './address.ts'

export interface Range {
  readonly family: Family
  readonly first: bigint
  readonly last: bigint
}

export interface Prefix {
  readonly family: Family
  /** The network address: host bits are zero. */
  readonly network: bigint
  /** 0 to 32 or 0 to 128. */
  readonly length: number
}

/** `<ip>/<length>` with host bits cleared; an IPv4-mapped network of /96 or longer becomes IPv4 (chapter 01, REF-BUG 6). */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/')
  if (slash < 0) return undefined
  const address = parseAddress(text.slice(0, slash))
  const digits = text.slice(slash + 1)
  if (address === undefined || !/^[0-9]{1,10}$/.test(digits)) return undefined
  const written = Number(digits)
  const mapped = address.family === 'ipv4' && text.includes(':')
  const length = mapped ? written - 96 : written
  if (length < 0 || length > BITS[address.family]) return undefined
  return prefixOf(address, length)
}

/** The prefix of the given length that holds the address. */
export function prefixOf(address: Address, length: number): Prefix {
  const hostBits = BigInt(BITS[address.family] - length)
  return { family: address.family, network: (address.value >> hostBits) << hostBits, length }
}

export function formatPrefix(prefix: Prefix): string {
  return `${formatAddress({ family: prefix.family, value: prefix.network })}/${prefix.length}`
}

export function prefixRange(prefix: Prefix): Range {
  const size = 1n << BigInt(BITS[prefix.family] - prefix.length)
  return { family: prefix.family, first: prefix.network, last: prefix.network + size - 1n }
}

/** The minimal ascending list of aligned blocks that make up the range. */
export function rangePrefixes(range: Range): Prefix[] {
  const bits = BITS[range.family]
  const blocks: Prefix[] = []
  let next = range.first
  while (next <= range.last) {
    let hostBits = trailingZeros(next, bits)
    while (next + (1n << BigInt(hostBits)) - 1n > range.last) hostBits--
    blocks.push({ family: range.family, network: next, length: bits - hostBits })
    next += 1n << BigInt(hostBits)
  }
  return blocks
}

function trailingZeros(value: bigint, bits: number): number {
  let count = 0
  while (count < bits && ((value >> BigInt(count)) & 1n) === 0n) count++
  return count
}

export function rangeSize(range: Range): bigint {
  return range.last - range.first + 1n
}

export function rangeContains(range: Range, address: Address): boolean {
  return range.family === address.family && range.first <= address.value && address.value <= range.last
}

/** What one entry of `IPAddressPool.spec.addresses` says, or the reason it says nothing (chapter 01 section 2.5). */
export type ParsedEntry = { range: Range } | { error: string }

/** A CIDR, or, where the text has a `-`, a range split at the first one. */
export function parseAddressEntry(text: string): ParsedEntry {
  const dash = text.indexOf('-')
  if (dash < 0) {
    const prefix = parsePrefix(text)
    return prefix === undefined ? { error: `invalid CIDR "${text}"` } : { range: prefixRange(prefix) }
  }
  const startText = text.slice(0, dash)
  const endText = text.slice(dash + 1)
  const start = parseAddress(startText.trim())
  if (start === undefined) return { error: `invalid IP range "${text}": invalid start IP "${startText}"` }
  const end = parseAddress(endText.trim())
  if (end === undefined) return { error: `invalid IP range "${text}": invalid end IP "${endText}"` }
  if (start.family !== end.family)
    return { error: `invalid IP range "${text}": start IP is ${start.family} and end IP is ${end.family}` }
  if (start.value > end.value) {
    const ends = `start IP "${formatAddress(start)}" is after the end IP "${formatAddress(end)}"`
    return { error: `invalid IP range "${text}": ${ends}` }
  }
  return { range: { family: start.family, first: start.value, last: end.value } }
}
