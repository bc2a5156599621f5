import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatTimestamp } from './timestamp.ts'

test('a timestamp is what Date makes of it, without the milliseconds', () => {
  const bounds = { min: new Date('1970-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }
  fc.assert(
    fc.property(fc.date(bounds), date => {
      assert.equal(formatTimestamp(date.getTime()), date.toISOString().replace(/\.\d+Z$/, 'Z'))
    }),
  )
  assert.equal(formatTimestamp(Date.UTC(2024, 1, 29, 23, 59, 59)), '2024-02-29T23:59:59Z')
})
