/** Which entries of which pools claim the same addresses, chapter 01 section 2.6. */
import { type Family, formatPrefix, prefixRange, type Range, rangeContains, rangePrefixes } from '../../ip/index.ts'

export interface PoolEntry {
  readonly pool: string
  /** Index in `spec.addresses`. */
  readonly index: number
  /** As written. */
  readonly text: string
  readonly range: Range
}

export interface Overlap {
  readonly entry: PoolEntry
  /** The entry that came before and keeps its claim. */
  readonly earlier: PoolEntry
  /** The aligned blocks of the two that meet, as CIDRs. */
  readonly block: string
  readonly earlierBlock: string
}

/** One overlap for each entry that claims what an earlier one, of the same or another pool, has claimed. */
export function findOverlaps(entries: Iterable<PoolEntry>): Overlap[] {
  const accepted: Record<Family, PoolEntry[]> = { ipv4: [], ipv6: [] }
  const overlaps: Overlap[] = []
  for (const entry of entries) {
    const taken = accepted[entry.range.family]
    const at = firstEndingAtOrAfter(taken, entry.range.first)
    const earlier = taken[at]
    if (earlier !== undefined && earlier.range.first <= entry.range.last) overlaps.push(describe(entry, earlier))
    else taken.splice(at, 0, entry)
  }
  return overlaps
}

/** Accepted entries are disjoint and in address order, so their ends are in order too. */
function firstEndingAtOrAfter(taken: readonly PoolEntry[], value: bigint): number {
  let low = 0
  let high = taken.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (taken[middle]!.range.last < value) low = middle + 1
    else high = middle
  }
  return low
}

function describe(entry: PoolEntry, earlier: PoolEntry): Overlap {
  const { first } = (entry.range.first > earlier.range.first ? entry : earlier).range
  return { entry, earlier, block: blockAt(entry.range, first), earlierBlock: blockAt(earlier.range, first) }
}

function blockAt(range: Range, value: bigint): string {
  const address = { family: range.family, value }
  return formatPrefix(rangePrefixes(range).find(block => rangeContains(prefixRange(block), address))!)
}
