import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseJson, toJson } from './json.ts'

const texts = [
  '{"availableIPv6":9223372036854775807}',
  '{"low":-9223372036854775808,"list":[18446744073709551616]}',
  '{"safe":9007199254740991,"half":0.5,"text":"9223372036854775807"}',
]
for (const text of texts) test(`${text} survives`, () => assert.equal(toJson(parseJson(text)), text))

test('small numbers stay numbers, also beside a large one', () => {
  assert.deepEqual(parseJson('{"a":1,"b":9223372036854775807}'), { a: 1, b: 9223372036854775807n })
})

test('a value that cannot be JSON is refused', () => {
  const circular: Record<string, unknown> = {}
  circular.self = circular
  assert.throws(() => toJson(circular))
})
