import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from '../ip/index.ts'
import { quote, quoteAddresses, quoteList } from './text.ts'

const cases: [text: string, quoted: string][] = [
  ['10.0.0.1', '"10.0.0.1"'],
  ['a"b\\c', '"a\\"b\\\\c"'],
  ['\n\r\t\x07\b\f\v', '"\\n\\r\\t\\a\\b\\f\\v"'],
  ['\x1b\x7f', '"\\x1b\\x7f"'],
  ['\u200b\u00a0', '"\\u200b\\u00a0"'],
  ['\u{e0001}', '"\\U000e0001"'],
  ['äß 日本', '"äß 日本"'],
]

for (const [text, quoted] of cases) test(`quotes ${quoted}`, () => assert.equal(quote(text), quoted))

test('lists, with what is missing', () => {
  assert.equal(quoteList(['a', 'b']), '["a" "b"]')
  assert.equal(quoteAddresses([parseAddress('10.0.0.1'), undefined]), '["10.0.0.1" "<nil>"]')
})
