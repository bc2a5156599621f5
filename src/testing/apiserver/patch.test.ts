import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jsonPatch, mergePatch, strategicMerge } from './patch.ts'

const keys = { 'spec.ports': 'port', 'spec.tags': '', 'spec.pods.containers': 'name' }

const strategic: [name: string, target: object, patch: object, result: object][] = [
  [
    'merges a list by its key',
    { spec: { ports: [{ port: 1, name: 'a' }] } },
    { spec: { ports: [{ port: 2 }] } },
    { spec: { ports: [{ port: 1, name: 'a' }, { port: 2 }] } },
  ],
  [
    'changes the item of the key',
    { spec: { ports: [{ port: 1, name: 'a' }] } },
    { spec: { ports: [{ port: 1, name: 'b' }] } },
    { spec: { ports: [{ port: 1, name: 'b' }] } },
  ],
  [
    'deletes the item of the key',
    { spec: { ports: [{ port: 1 }, { port: 2 }] } },
    { spec: { ports: [{ port: 1, $patch: 'delete' }] } },
    { spec: { ports: [{ port: 2 }] } },
  ],
  [
    'replaces a list on request',
    { spec: { ports: [{ port: 1 }] } },
    { spec: { ports: [{ $patch: 'replace' }, { port: 9 }] } },
    { spec: { ports: [{ port: 9 }] } },
  ],
  ['replaces a list without key', { spec: { other: [1, 2] } }, { spec: { other: [3] } }, { spec: { other: [3] } }],
  [
    'adds to a list of plain values',
    { spec: { tags: ['a'] } },
    { spec: { tags: ['a', 'b'] } },
    { spec: { tags: ['a', 'b'] } },
  ],
  [
    'takes from a list of plain values',
    { spec: { tags: ['a', 'b'] } },
    { spec: { '$deleteFromPrimitiveList/tags': ['a'] } },
    { spec: { tags: ['b'] } },
  ],
  [
    'orders as told',
    { spec: { ports: [{ port: 1 }, { port: 2 }] } },
    { spec: { '$setElementOrder/ports': [{ port: 2 }, { port: 1 }] } },
    { spec: { ports: [{ port: 2 }, { port: 1 }] } },
  ],
  ['removes by null', { spec: { a: 1, b: 2 } }, { spec: { a: null } }, { spec: { b: 2 } }],
  ['replaces a map on request', { spec: { a: 1 } }, { spec: { $patch: 'replace', b: 2 } }, { spec: { b: 2 } }],
  [
    'keeps only the fields named',
    { spec: { a: 1, b: 2 } },
    { spec: { $retainKeys: ['b', 'c'], c: 3 } },
    { spec: { b: 2, c: 3 } },
  ],
  [
    'merges finalizers of every kind',
    { metadata: { finalizers: ['a'] } },
    { metadata: { finalizers: ['b'] } },
    { metadata: { finalizers: ['a', 'b'] } },
  ],
  [
    'merges lists in lists of objects',
    { spec: { pods: { containers: [{ name: 'c', image: 'x' }] } } },
    { spec: { pods: { containers: [{ name: 'c', tag: 1 }] } } },
    { spec: { pods: { containers: [{ name: 'c', image: 'x', tag: 1 }] } } },
  ],
]
for (const [name, target, patch, result] of strategic)
  test(`strategic merge ${name}`, () => {
    const before = structuredClone(target)
    assert.deepEqual(strategicMerge(target as never, patch as never, keys), result)
    assert.deepEqual(target, before, 'the target is not changed')
  })

test('an item without its key is refused', () => {
  const patch = { spec: { ports: [{ name: 'x' }] } }
  assert.throws(() => strategicMerge({}, patch, keys), { code: 400, message: /merge key: port/ })
})

test('merge patch: the example of RFC 7396', () => {
  const target = {
    title: 'Goodbye!',
    author: { givenName: 'John', familyName: 'Doe' },
    tags: ['example', 'sample'],
    content: 'text',
  }
  const patch = { title: 'Hello!', phoneNumber: '+01-123-456-7890', author: { familyName: null }, tags: ['example'] }
  const result = {
    title: 'Hello!',
    author: { givenName: 'John' },
    tags: ['example'],
    content: 'text',
    phoneNumber: '+01-123-456-7890',
  }
  assert.deepEqual(mergePatch(target, patch), result)
})

test('JSON patch: applied to a copy; a failing test, a missing path and a non-list are refused', () => {
  const target = { spec: { a: 1 } }
  assert.deepEqual(jsonPatch(target, [{ op: 'add', path: '/spec/b', value: 2 }]), { spec: { a: 1, b: 2 } })
  assert.deepEqual(target, { spec: { a: 1 } })
  assert.throws(() => jsonPatch(target, [{ op: 'test', path: '/spec/a', value: 2 }]), {
    code: 422,
    message: /testing value failed/,
  })
  assert.throws(() => jsonPatch(target, [{ op: 'replace', path: '/none/x', value: 2 }]), { code: 422 })
  assert.throws(() => jsonPatch(target, [{ op: 'fly', path: '/spec' }]), { code: 422 })
  assert.throws(() => jsonPatch(target, { op: 'add' }), { code: 400 })
})
