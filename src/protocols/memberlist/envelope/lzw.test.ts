import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compress, decompress } from './lzw.ts'

const LIMIT = 1 << 20

test('what is compressed comes back, whatever it is', () => {
  const repetitive = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 20_000 }).map(list => Uint8Array.from(list))
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 12_000 }), repetitive), bytes => {
      assert.deepEqual(decompress(compress(bytes), LIMIT), bytes)
    }),
    { numRuns: 60 },
  )
})

test('the table starts anew when it is full, many times', () => {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, at) => (at * at * 31 + (at >> 5)) & 0xff)
  assert.deepEqual(decompress(compress(bytes), LIMIT), bytes)
})

test('an encoder that never clears: at 12 bits nothing is added any more', () => {
  // 5000 different pairs of literals: the table fills at 4095 and stays.
  const codes: number[] = [256]
  for (let at = 0; at < 5000; at++) codes.push(at % 256)
  codes.push(4095, 257)
  const { bytes, expected } = written(codes)
  assert.deepEqual(decompress(bytes, LIMIT).subarray(0, 5000), expected)
})

test('bytes that are no LZW are refused, at every cut and with every code too high', () => {
  const good = compress(new TextEncoder().encode('to be or not to be, to be or not'))
  for (let cut = 0; cut < good.length; cut++)
    assert.throws(() => decompress(good.subarray(0, cut), LIMIT), { code: 'TRUNCATED' })
  assert.throws(() => decompress(written([256, 97, 300, 257]).bytes, LIMIT), { code: 'MALFORMED' })
  assert.throws(() => decompress(written([256, 258, 257]).bytes, LIMIT), { code: 'MALFORMED' })
  assert.throws(() => decompress(compress(new Uint8Array(1000)), 999), { code: 'TOO_LARGE' })
  assert.equal(decompress(compress(new Uint8Array(1000)), 1000).length, 1000)
})

/** Codes as bits, growing as the decoder does; what the literals among them stand for. */
function written(codes: readonly number[]): { bytes: Uint8Array; expected: Uint8Array } {
  const bytes: number[] = []
  let [bits, count, width, high] = [0, 0, 9, 257]
  for (const code of codes) {
    bits += code * 2 ** count
    for (count += width; count >= 8; count -= 8) {
      bytes.push(bits % 256)
      bits = Math.floor(bits / 256)
    }
    if (code === 256) [width, high] = [9, 257]
    else if (high < 4095 && ++high === 1 << width && width < 12) width++
  }
  if (count > 0) bytes.push(bits)
  return { bytes: Uint8Array.from(bytes), expected: Uint8Array.from(codes.filter(code => code < 256)) }
}
