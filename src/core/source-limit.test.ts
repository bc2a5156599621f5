import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SourceLimit } from './source-limit.ts'

const passing = (limit: SourceLimit, source: string, count: number, nowMs: number) =>
  Array.from({ length: count }, () => limit.pass(source, nowMs)).filter(passed => passed).length

/** So many messages of a source at a time, and how many of them pass. */
type Step = [source: string, count: number, nowMs: number, passed: number]

const CASES: [name: string, options: ConstructorParameters<typeof SourceLimit>[0], steps: Step[]][] = [
  [
    'a source gets its burst, then so many a second; what was not used does not add up, and another is not affected',
    { perSecond: 10, burst: 5, most: 4 },
    [
      ['a', 100, 0, 5],
      ['b', 3, 0, 3],
      ['a', 100, 99, 0],
      ['a', 100, 100, 1],
      ['a', 100, 60_000, 5],
    ],
  ],
  [
    'memory is bounded: of too many sources the oldest is forgotten',
    { perSecond: 1, burst: 1, most: 2 },
    [
      ['a', 1, 0, 1],
      ['b', 1, 0, 1],
      ['a', 1, 0, 0],
      ['c', 1, 0, 1],
      ['a', 1, 0, 1],
    ],
  ],
]
for (const [name, options, steps] of CASES)
  test(name, () => {
    const limit = new SourceLimit(options)
    for (const [source, count, nowMs, passed] of steps)
      assert.equal(passing(limit, source, count, nowMs), passed, `${source} at ${nowMs} ms`)
  })
