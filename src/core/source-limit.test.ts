import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SourceLimit } from './source-limit.ts'

const passing = (limit: SourceLimit, source: string, count: number, nowMs: number) =>
  Array.from({ length: count }, () => limit.pass(source, nowMs)).filter(passed => passed).length

test('a source gets its burst, then so many a second; another is not affected', () => {
  const limit = new SourceLimit({ perSecond: 10, burst: 5, most: 4 })
  assert.equal(passing(limit, 'a', 100, 0), 5)
  assert.equal(passing(limit, 'b', 3, 0), 3)
  assert.equal(passing(limit, 'a', 100, 99), 0)
  assert.equal(passing(limit, 'a', 100, 100), 1)
  assert.equal(passing(limit, 'a', 100, 60_000), 5, 'what was not used does not add up')
})

test('memory is bounded: of too many sources the oldest is forgotten', () => {
  const limit = new SourceLimit({ perSecond: 1, burst: 1, most: 2 })
  assert.equal(passing(limit, 'a', 1, 0), 1)
  assert.equal(passing(limit, 'b', 1, 0), 1)
  assert.equal(passing(limit, 'a', 1, 0), 0)
  assert.equal(passing(limit, 'c', 1, 0), 1)
  assert.equal(passing(limit, 'a', 1, 0), 1, 'forgotten')
})
