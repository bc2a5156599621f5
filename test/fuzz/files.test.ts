import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseWritten, UnreadableFile } from '../../src/apps/cli/files.ts'
import { property } from './files.ts'

test('arbitrary text is read, or is an unreadable file', () => {
  fc.assert(property, { numRuns: 3000 })
})

const bombs: [string, string][] = [
  ['deep nesting', '['.repeat(50_000)],
  [
    'aliases of aliases',
    `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'.replace(/./g, (name, at) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[at]}`)}]\n`)}`,
  ],
]
for (const [name, text] of bombs)
  test(`${name} is an unreadable file`, () => assert.throws(() => parseWritten(text, 'x.yaml'), UnreadableFile))
