import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crds } from '../../api/crds.ts'
import { Cluster } from './cluster.ts'
import { type Fields, fieldsAt, listAt, valueAt } from './object.ts'
import { openApiDocument, openApiIndex } from './openapi.ts'
import { create } from './writes.ts'

function cluster(): Cluster {
  const made = new Cluster()
  const resource = made.registry.get('apiextensions.k8s.io', 'v1', 'customresourcedefinitions')!
  for (const crd of crds) create(made, resource, undefined, crd)
  return made
}

const { registry } = cluster()
const schemasOf = (root: string) => valueAt(openApiDocument(registry, root), 'components.schemas') as Fields

test('a document has the schema of each kind of its group and version, known by group, version and kind', () => {
  const schemas = schemasOf('apis/metallb.io/v1beta2')
  const peer = fieldsAt(schemas, 'io.metallb.v1beta2.BGPPeer')
  assert.deepEqual(peer['x-kubernetes-group-version-kind'], [
    { group: 'metallb.io', version: 'v1beta2', kind: 'BGPPeer' },
  ])
  assert.equal(valueAt(peer, 'properties.spec.properties.peerASN.format'), 'int64')
  assert.equal(schemasOf('apis/metallb.io/v1beta1')['io.metallb.v1beta2.BGPPeer'], undefined)
  assert.ok(schemasOf('apis/metallb.io/v1beta1')['io.metallb.v1beta1.BGPPeer'])
})

test('every path answers with a schema that is there, and every reference leads somewhere', () => {
  for (const root of Object.keys(fieldsAt(openApiIndex(registry), 'paths'))) {
    const document = openApiDocument(registry, root)!
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)]
    assert.ok(references.length > Object.keys(document.paths as Fields).length, root)
    const schemas = schemasOf(root)
    for (const [, name] of references) assert.ok(schemas[name!], `${root}: ${name}`)
  }
})

test('kinds without a schema answer all the same, and keep what they are sent', () => {
  const configMap = fieldsAt(schemasOf('api/v1'), 'io.k8s.api.core.v1.ConfigMap')
  assert.equal(configMap['x-kubernetes-preserve-unknown-fields'], true)
  assert.match(String(configMap.description), /ConfigMap/)
})

test('a PATCH takes fieldValidation and names no media types', () => {
  const paths = fieldsAt(openApiDocument(registry, 'api/v1')!, 'paths')
  const path = paths['/api/v1/namespaces/{namespace}/services/{name}']
  assert.ok(listAt(path, 'patch.parameters').some(({ name }) => name === 'fieldValidation'))
  assert.equal(valueAt(path, 'patch.requestBody'), undefined)
})

test('the address of a document changes with it', () => {
  const before = fieldsAt(openApiIndex(registry), 'paths')['apis/metallb.io/v1beta1']
  const other = cluster()
  other.store.remove('apiextensions.k8s.io/customresourcedefinitions', 'communities.metallb.io')
  assert.notDeepEqual(fieldsAt(openApiIndex(other.registry), 'paths')['apis/metallb.io/v1beta1'], before)
  assert.deepEqual(fieldsAt(openApiIndex(cluster().registry), 'paths')['apis/metallb.io/v1beta1'], before)
})
