import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LineSplitter } from './lines.ts'

test('lines come out the same however the bytes are cut', () => {
  const texts = fc.array(fc.string({ unit: 'binary', maxLength: 20 }).map(text => text.replaceAll('\n', '')))
  fc.assert(
    fc.property(texts, fc.array(fc.nat(50)), (lines, cuts) => {
      const bytes = Buffer.from(lines.map(line => `${line}\n`).join(''))
      const splitter = new LineSplitter(1_000)
      const seen: string[] = []
      let at = 0
      for (const cut of [...cuts, bytes.length]) {
        seen.push(...splitter.push(bytes.subarray(at, at + cut)))
        at += cut
      }
      assert.deepEqual(
        seen,
        lines.map(line => Buffer.from(line).toString()),
      )
    }),
  )
})

test('a line may be as long as the limit and no longer, also while its end is not yet there', () => {
  assert.deepEqual(new LineSplitter(4).push(Buffer.from('abcd\n')), ['abcd'])
  assert.throws(() => new LineSplitter(4).push(Buffer.from('abcde\n')), { code: 'MALFORMED' })
  const splitter = new LineSplitter(4)
  splitter.push(Buffer.from('abc'))
  assert.throws(() => splitter.push(Buffer.from('de')), { code: 'MALFORMED' })
})
