import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Reader, Writer } from './index.ts'

const WIDTHS = { u8: 1, u16: 2, u32: 4 } as const
const fields = fc.array(
  fc.constantFrom('u8', 'u16', 'u32').chain(width =>
    fc.record({
      width: fc.constant(width as keyof typeof WIDTHS),
      value: fc.integer({ min: 0, max: 256 ** WIDTHS[width as keyof typeof WIDTHS] - 1 }),
    }),
  ),
)

test('what was written is read back, field by field, and no byte is left', () => {
  fc.assert(
    fc.property(fields, written => {
      const writer = new Writer(1)
      for (const { width, value } of written) writer[width](value)
      const reader = new Reader(writer.finish())
      for (const { width, value } of written) assert.equal(reader[width](), value)
      assert.equal(reader.remaining, 0)
    }),
  )
})

test('fields are big-endian', () => {
  const bytes = new Writer().u8(1).u16(0x0203).u32(0x84050607).put(Uint8Array.of(8, 9)).padTo(11).finish()
  assert.deepEqual(bytes, Uint8Array.of(1, 2, 3, 0x84, 5, 6, 7, 8, 9, 0, 0))
  const reader = new Reader(bytes, 1)
  assert.equal(reader.u16(), 0x0203)
  assert.equal(reader.u32(), 0x84050607)
  assert.deepEqual(reader.take(2), Uint8Array.of(8, 9))
  assert.deepEqual(reader.rest(), Uint8Array.of(0, 0))
})

const reads: [string, number, (reader: Reader) => unknown][] = [
  ['u8', 1, reader => reader.u8()],
  ['u16', 2, reader => reader.u16()],
  ['u32', 4, reader => reader.u32()],
  ['take', 7, reader => reader.take(7)],
  ['skip', 7, reader => reader.skip(7)],
]
for (const [name, width, read] of reads)
  test(`${name} refuses to read past the end`, () => {
    for (let length = 0; length < width; length++)
      assert.throws(() => read(new Reader(new Uint8Array(length))), { name: 'DecodeError', code: 'TRUNCATED' })
    read(new Reader(new Uint8Array(width)))
  })

test('a negative length, read from a broken field, is refused too', () => {
  assert.throws(() => new Reader(new Uint8Array(4), 2).take(-1), { code: 'TRUNCATED', offset: 2 })
})
