import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Range } from '../../ip/index.ts'
import { findOverlaps, type PoolEntry } from './overlap.ts'

const entry = (range: Range, index: number): PoolEntry => ({ pool: 'p', index, text: `${index}`, range })

const rangesOverlap = (a: Range, b: Range) => a.family === b.family && a.first <= b.last && b.first <= a.last

/** The plain way: each against all that were accepted before. */
function oracle(entries: readonly PoolEntry[]): number[] {
  const accepted: PoolEntry[] = []
  return entries
    .filter(({ range }, index) => {
      if (accepted.some(earlier => rangesOverlap(earlier.range, range))) return true
      accepted.push(entries[index]!)
      return false
    })
    .map(({ index }) => index)
}

const range = fc
  .tuple(fc.constantFrom('ipv4' as const, 'ipv6' as const), fc.nat(60), fc.nat(6))
  .map(([family, first, size]): Range => ({ family, first: BigInt(first), last: BigInt(first + size) }))

test('the entries that overlap are those that the plain comparison finds', () => {
  let found = 0
  fc.assert(
    fc.property(fc.array(range, { maxLength: 20 }), ranges => {
      const entries = ranges.map(entry)
      const overlaps = findOverlaps(entries)
      found += overlaps.length
      assert.deepEqual(
        overlaps.map(({ entry }) => entry.index),
        oracle(entries),
      )
      for (const { entry, earlier } of overlaps) assert.ok(rangesOverlap(entry.range, earlier.range))
    }),
  )
  assert.ok(found > 0)
})
