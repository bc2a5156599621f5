/** How many addresses a pool counts (chapter 02 section 2.9, D11). */
import { BITS, type Range, rangePrefixes, rangeSize } from '../ip/index.ts'

/** The largest value of the API's int64 fields; more is reported as this. */
const MAX_COUNT = 9223372036854775807n

/** Saturating sum: the order of the operands does not matter (D11). */
export function addCounts(a: bigint, b: bigint): bigint {
  return a + b > MAX_COUNT ? MAX_COUNT : a + b
}

/** Addresses of the range that can be handed out. */
export function rangeCapacity(range: Range, avoidBuggyIPs: boolean): bigint {
  if (range.family === 'ipv4') return rangeSize(range) - (avoidBuggyIPs ? buggyCount(range) : 0n)
  if (rangeSize(range) < 1n << 61n) return rangeSize(range)
  return rangePrefixes(range)
    .map(({ length }) => BITS.ipv6 - length)
    .map(hostBits => (hostBits >= 62 ? MAX_COUNT : 1n << BigInt(hostBits))) // a /66 counts as the maximum, as ever
    .reduce(addCounts, 0n)
}

/** Whether some networks take the address for a network or broadcast address: IPv4 ending in .0 or .255. */
export function isBuggy(value: bigint): boolean {
  const octet = value & 0xffn
  return octet === 0n || octet === 255n
}

function buggyCount({ first, last }: Range): bigint {
  return endingIn(0n, last) - endingIn(0n, first - 1n) + endingIn(255n, last) - endingIn(255n, first - 1n)
}

/** Addresses from 0 to `last` whose lowest octet is the given one. */
function endingIn(octet: bigint, last: bigint): bigint {
  return last < octet ? 0n : ((last - octet) >> 8n) + 1n
}
