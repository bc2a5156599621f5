import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseWritten, readObjectFiles, UnreadableFile } from './files.ts'

const names = (text: string) =>
  parseWritten(text, 'x.yaml').map(({ object: { kind, metadata } }) => `${kind} ${metadata.name}`)

test('documents, lists and JSON are read alike; empty documents are nothing', () => {
  assert.deepEqual(names('---\nkind: A\nmetadata: {name: a}\n---\n# nothing\n---\nkind: B\nmetadata: {name: b}\n'), [
    'A a',
    'B b',
  ])
  assert.deepEqual(names('kind: List\nitems: [{kind: A, metadata: {name: a}}, {kind: B, metadata: {name: b}}]'), [
    'A a',
    'B b',
  ])
  assert.deepEqual(names('{"kind":"A","metadata":{"name":"a"}}'), ['A a'])
})

const refused: [string, string][] = [
  ['kind: A\nmetadata: {name: a\n', 'x.yaml:3:1'],
  ['kind: A\nmetadata: {name: a}\n---\nkind: B\n', 'x.yaml:4:1: not a Kubernetes object'],
  ['- 1', 'x.yaml:1:1: not a Kubernetes object'],
  ['kind: A\nmetadata: {name: 7}', 'x.yaml:1:1: not a Kubernetes object'],
  ['kind: List\nitems: [null]', 'x.yaml:2:9: not a Kubernetes object'],
]
for (const [text, place] of refused)
  test(`refused at ${place}: ${JSON.stringify(text)}`, () =>
    assert.throws(
      () => parseWritten(text, 'x.yaml'),
      (error: Error) => error instanceof UnreadableFile && error.message.startsWith(place),
    ))

test('a directory stands for its files in order; what is missing is named', () => {
  const directory = mkdtempSync(join(tmpdir(), 'files-'))
  for (const name of ['b.yaml', 'a.json', 'c.txt'])
    writeFileSync(join(directory, name), `{kind: K, metadata: {name: ${name[0]}}}`)
  assert.deepEqual(
    readObjectFiles([directory]).map(({ metadata }) => metadata.name),
    ['a', 'b'],
  )
  assert.throws(() => readObjectFiles([join(directory, 'nope')]), /nope/)
  rmSync(directory, { recursive: true })
})
