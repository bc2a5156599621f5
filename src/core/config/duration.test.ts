import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatDuration, parseDuration } from './duration.ts'

const cases: [text: string, nanoseconds: bigint, printed: string][] = [
  ['0', 0n, '0s'],
  ['90s', 90_000_000_000n, '1m30s'],
  ['1m35s', 95_000_000_000n, '1m35s'],
  ['1h', 3_600_000_000_000n, '1h0m0s'],
  ['2900ms', 2_900_000_000n, '2.9s'],
  ['.5s', 500_000_000n, '500ms'],
  ['1.s', 1_000_000_000n, '1s'],
  ['1.5h', 5_400_000_000_000n, '1h30m0s'],
  ['-5s', -5_000_000_000n, '-5s'],
  ['+5us', 5_000n, '5µs'],
  ['1µs1ns', 1_001n, '1.001µs'],
]
for (const [text, nanoseconds, printed] of cases)
  test(`duration ${text}`, () => {
    assert.equal(parseDuration(text), nanoseconds)
    assert.equal(formatDuration(nanoseconds), printed)
  })

for (const text of ['', 'soon', '5', '5 s', 's', '.s', '1d', '--1s', '1s-1s', '9999999999999h', '٣s'])
  test(`no duration: "${text}"`, () => assert.equal(parseDuration(text), undefined))

test('what is printed reads as the same duration', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n) + 1n, max: 2n ** 63n - 1n }), duration => {
      assert.equal(parseDuration(formatDuration(duration)), duration)
    }),
  )
})
