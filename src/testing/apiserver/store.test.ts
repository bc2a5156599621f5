import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeJson } from './object.ts'
import { Store, type StoreEvent } from './store.ts'

const object = (name: string, value = 0): KubeJson => ({ apiVersion: 'v1', kind: 'X', metadata: { name }, value })
const shown = (events: readonly StoreEvent[] | undefined) =>
  events?.map(({ type, entry }) => `${type} ${entry.key} ${entry.revision}`)

test('each change has the next revision, written into the object', () => {
  const store = new Store()
  const first = store.put('/xs', object('a'))
  assert.equal(first.object.metadata.resourceVersion, String(first.revision))
  assert.equal(store.put('/ys', object('a')).revision, first.revision + 1)
  assert.equal(store.remove('/xs', 'a')?.object.metadata.resourceVersion, String(first.revision + 2))
  assert.equal(store.get('/xs', 'a'), undefined)
  assert.equal(store.remove('/xs', 'a'), undefined)
})

test('lists are sorted by key and follow every change', () => {
  const store = new Store()
  for (const name of ['b', 'c', 'a']) store.put('/xs', object(name))
  assert.deepEqual(
    store.list('/xs').map(({ key }) => key),
    ['a', 'b', 'c'],
  )
  store.put('/xs', object('b', 7))
  assert.equal(store.list('/xs')[1]?.object.value, 7)
  store.remove('/xs', 'a')
  assert.deepEqual(
    store.list('/xs').map(({ key }) => key),
    ['b', 'c'],
  )
})

test('history answers what came after a revision, of one resource only', () => {
  const store = new Store()
  const { revision } = store.put('/xs', object('a'))
  store.put('/ys', object('y'))
  store.put('/xs', object('a', 1))
  store.remove('/xs', 'a')
  assert.deepEqual(shown(store.since('/xs', revision)), [`MODIFIED a ${revision + 2}`, `DELETED a ${revision + 3}`])
  assert.deepEqual(store.since('/xs', store.revision), [])
})

test('forgotten history is not answered: after compaction, and beyond the limit', () => {
  const store = new Store(4)
  const { revision } = store.put('/xs', object('a'))
  assert.equal(store.since('/xs', revision)?.length, 0)
  for (let value = 0; value < 10; value++) store.put('/xs', object('a', value))
  assert.equal(store.since('/xs', revision), undefined)
  const last = store.revision
  store.put('/xs', object('b'))
  assert.equal(store.since('/xs', last)?.length, 1)
  store.compact()
  assert.equal(store.since('/xs', last), undefined)
  assert.equal(store.since('/never-used', last), undefined)
  assert.deepEqual(store.since('/xs', store.revision), [])
})

test('a dump loaded elsewhere goes on with its revisions and has no history', () => {
  const store = new Store()
  store.put('/xs', object('a'))
  store.put('/xs', object('b', 5))
  const copy = new Store()
  const seen: string[] = []
  copy.followAll(({ type, entry }) => seen.push(`${type} ${entry.key}`))
  copy.load(structuredClone(store.dump()))
  assert.deepEqual(seen, ['ADDED a', 'ADDED b'])
  assert.equal(copy.get('/xs', 'b')?.text, store.get('/xs', 'b')?.text)
  assert.equal(copy.put('/xs', object('c')).revision, store.revision + 1)
  assert.equal(copy.since('/xs', 1), undefined)
})

test('a follower hears of its resource until it stops', () => {
  const store = new Store()
  const seen: string[] = []
  const stop = store.follow('/xs', ({ type, entry }) => seen.push(`${type} ${entry.key}`))
  store.put('/ys', object('other'))
  store.put('/xs', object('a'))
  store.put('/xs', object('a', 1))
  store.remove('/xs', 'a')
  stop()
  store.put('/xs', object('b'))
  assert.deepEqual(seen, ['ADDED a', 'MODIFIED a', 'DELETED a'])
})
