/** Whether prefixes of a length can be announced from a pool, chapter 01 section 2.9. */
import { BITS, type Family, rangePrefixes } from '../../ip/index.ts'
import type { Pool } from '../model.ts'

export interface AggregationConflict {
  readonly family: Family
  /** The entry of `spec.addresses`, as written, and the length of its largest block. */
  readonly entry: string
  readonly blockLength: number
}

/** The entries without a block large enough for such a prefix: it would cover what the pool does not own. */
export function aggregationConflicts(
  { ranges, entries }: Pick<Pool, 'ranges' | 'entries'>,
  aggregationLength: Readonly<Record<Family, number>>,
): AggregationConflict[] {
  return ranges.flatMap((range, index) => {
    const { family } = range
    if (aggregationLength[family] === BITS[family]) return []
    const blockLength = Math.min(...rangePrefixes(range).map(({ length }) => length))
    return aggregationLength[family] < blockLength ? [{ family, entry: entries[index]!, blockLength }] : []
  })
}
