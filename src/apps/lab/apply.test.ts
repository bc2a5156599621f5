import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseManifest } from './apply.ts'

test('documents become objects, empty ones are passed over', () => {
  const text =
    '---\napiVersion: v1\nkind: Pod\nmetadata: { name: a }\n---\n# nothing\n---\napiVersion: v1\nkind: Pod\nmetadata: { name: b }\n'
  assert.deepEqual(
    parseManifest(text, 'x.yaml').map(({ metadata }) => metadata.name),
    ['a', 'b'],
  )
})

for (const [text, words] of [
  ['kind: Pod', /x\.yaml: an object needs apiVersion, kind and metadata\.name/],
  ['apiVersion: v1\nkind: Pod\nmetadata: {}', /metadata\.name/],
  ['just text', /x\.yaml: an object needs/],
  ['a: [', /x\.yaml: Flow sequence/],
] as const)
  test(`refused: ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseManifest(text, 'x.yaml'), { message: words })
  })
