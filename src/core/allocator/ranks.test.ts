import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FreeRanks } from './ranks.ts'

test('the lowest free rank is what a walk from the start finds', () => {
  const step = fc.record({ take: fc.boolean(), rank: fc.option(fc.nat(15), { nil: undefined }) })
  const property = fc.property(fc.array(step, { size: 'large' }), steps => {
    const taken = new Set<bigint>([3n])
    const ranks = new FreeRanks(16n, rank => taken.has(rank))
    for (const { take, rank } of steps) {
      const walked = Array.from({ length: 16 }, (_, index) => BigInt(index)).find(index => !taken.has(index))
      assert.equal(ranks.lowest(), walked)
      const target = rank === undefined ? walked : BigInt(rank)
      if (target === undefined || target === 3n) continue // 3 is never handed out
      if (take) taken.add(target)
      else if (taken.delete(target)) ranks.release(target)
    }
  })
  fc.assert(property)
})

test('a row of 2^64 costs nothing', () => {
  const taken = new Set<bigint>()
  const ranks = new FreeRanks(1n << 64n, rank => taken.has(rank))
  for (let index = 0n; index < 1000n; index++) {
    assert.equal(ranks.lowest(), index)
    taken.add(index)
  }
})
