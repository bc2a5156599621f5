import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BUILT_IN } from './builtin.ts'
import { compare, FieldSet, fieldsOf, formatPath, fromFieldsV1, mergeSchema, toFieldsV1 } from './field-set.ts'
import type { Schema } from './schema.ts'

const item: Schema = { properties: { port: {}, protocol: { default: 'TCP' }, name: {} } }
const schema: Schema = {
  properties: {
    atomicList: { items: {} },
    atomicMap: { 'x-kubernetes-map-type': 'atomic' },
    set: { 'x-kubernetes-list-type': 'set' },
    map: { items: item, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['port', 'protocol'] },
    plain: { additionalProperties: {} },
  },
}
const object = {
  ...{ apiVersion: 'v1', kind: 'X', metadata: { name: 'n', uid: 'u', labels: { a: 'b' } } },
  ...{ atomicList: [1, { x: 1 }], atomicMap: { a: 1 }, set: ['p', 'q'], plain: {}, scalar: 7 },
  map: [{ port: 80, name: 'web' }],
}

test('fields of an object: as deep as its schema merges it, without identity and what the server writes', () => {
  assert.deepEqual([...fieldsOf(object, schema)].map(formatPath), [
    ...['.metadata.labels.a', '.atomicList', '.atomicMap', '.set[="p"]', '.set[="q"]', '.plain', '.scalar'],
    '.map[port=80,protocol="TCP"]',
    '.map[port=80,protocol="TCP"].port',
    '.map[port=80,protocol="TCP"].name',
  ])
})

test('FieldsV1 both ways', () => {
  const set = fieldsOf(object, schema)
  assert.deepEqual(toFieldsV1(set), {
    'f:metadata': { 'f:labels': { 'f:a': {} } },
    ...{ 'f:atomicList': {}, 'f:atomicMap': {}, 'f:plain': {}, 'f:scalar': {} },
    'f:set': { 'v:"p"': {}, 'v:"q"': {} },
    'f:map': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:port': {}, 'f:name': {} } },
  })
  assert.ok(fromFieldsV1(toFieldsV1(set)).equals(set))
  assert.equal(fromFieldsV1(undefined).size, 0)
})

test('what differs between two objects', () => {
  const after = { ...object, atomicList: [1], set: ['q', 'r'], map: [{ port: 80, protocol: 'TCP', name: 'api' }] }
  const { changed, removed } = compare(object, after, schema)
  assert.deepEqual([...changed].map(formatPath), [
    ...['.atomicList', '.set[="r"]', '.map[port=80,protocol="TCP"].protocol', '.map[port=80,protocol="TCP"].name'],
  ])
  assert.deepEqual([...removed].map(formatPath), ['.set[="p"]'])
})

test('sets add, subtract and know what is below a path', () => {
  const set = new FieldSet([['f:a'], ['f:b', 'f:c']])
  assert.ok(set.touches(['f:b']) && !set.has(['f:b']) && !set.touches(['f:bb']))
  assert.deepEqual([...set.minus(new FieldSet([['f:a']]))], [['f:b', 'f:c']])
  assert.deepEqual([...set.and(new FieldSet([['f:a'], ['f:x']]))], [['f:a']])
  assert.ok(set.union([['f:a']]).equals(set))
})

test('built-in kinds without a schema merge by their merge keys, in lists within lists too', () => {
  const deployment = BUILT_IN.find(({ kind }) => kind === 'Deployment')!
  const containers = [{ name: 'c', ports: [{ containerPort: 80 }], args: ['a'] }]
  const fields = fieldsOf({ spec: { template: { spec: { containers } } } }, mergeSchema(deployment))
  const at = '.spec.template.spec.containers[name="c"]'
  assert.deepEqual([...fields].map(formatPath), [
    ...[at, `${at}.name`, `${at}.ports[containerPort=80]`, `${at}.ports[containerPort=80].containerPort`, `${at}.args`],
  ])
})
