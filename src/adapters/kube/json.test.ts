import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatJson, parseJson } from './json.ts'

const numbers: [string, unknown][] = [
  ['9007199254740991', 9007199254740991],
  ['9007199254740993', 9007199254740993n],
  ['-9223372036854775808', -9223372036854775808n],
  ['18446744073709551615', 18446744073709551615n],
  ['12345678901234567.5', Number('12345678901234567.5')],
  ['1e21', 1e21],
  ['1', 1],
]
for (const [text, value] of numbers)
  test(`${text} keeps every digit`, () => {
    for (const around of [
      (inner: string) => `{"a":${inner}}`,
      (inner: string) => `{"a":[1,${inner}]}`,
      (inner: string) => `{"a": ${inner} }`,
    ]) {
      const { a } = parseJson(around(text)) as { a: unknown }
      assert.deepEqual(Array.isArray(a) ? a[1] : a, value)
    }
    if (typeof value === 'bigint') assert.equal(formatJson({ a: value }), `{"a":${text}}`)
  })

test('digits in a text are no number', () => {
  assert.deepEqual(parseJson('{"a":"x: 12345678901234567890"}'), { a: 'x: 12345678901234567890' })
})

test('any integer survives reading and writing', () => {
  const integers = fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n })
  fc.assert(
    fc.property(integers, value => {
      assert.equal(formatJson(parseJson(`{"a":[${value}]}`)), `{"a":[${value}]}`)
    }),
  )
})
