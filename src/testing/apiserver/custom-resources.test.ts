import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { call } from './bare-client.ts'
import { compareVersions } from './discovery.ts'
import { type Fields, fieldsAt, listAt, valueAt } from './object.ts'
import { type ApiServer, startApiServer } from './server.ts'

const spec = {
  type: 'object',
  required: ['size'],
  properties: { size: { type: 'integer' }, mode: { type: 'string', default: 'auto' }, note: { type: 'string' } },
}
const schema = {
  openAPIV3Schema: {
    type: 'object',
    properties: { spec, status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
  },
}
const names = { kind: 'Widget', plural: 'widgets' }
const crd = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names,
    versions: [
      { name: 'v1beta1', served: true, storage: false, schema, subresources: { status: {} } },
      { name: 'v1', served: true, storage: true, schema, subresources: { status: {} } },
    ],
  },
}
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const WIDGETS = '/apis/example.com/v1/namespaces/default/widgets'
const widget = (name: string, fields: Fields, version = 'v1') => ({
  ...{ apiVersion: `example.com/${version}`, kind: 'Widget', metadata: { name }, spec: fields },
})

describe('custom resources', () => {
  let server: ApiServer
  before(async () => {
    server = await startApiServer({ plainHttp: true, crds: [crd] })
  })
  after(() => server.stop())

  const post = (name: string, fields: Fields, query = '') =>
    call(server, 'POST', `${WIDGETS}${query}`, { body: widget(name, fields) })

  test('defaults are filled in and unknown fields are dropped with a warning', async () => {
    const { code, body, headers } = await post('warned', { size: 1, colour: 'red' })
    assert.equal(code, 201)
    assert.deepEqual(body.spec, { size: 1, mode: 'auto' })
    assert.equal(headers.warning, '299 - "unknown field \\"spec.colour\\""')
  })

  test('strict validation refuses unknown fields, ignoring passes them over in silence', async () => {
    const strict = await post('strict', { size: 1, colour: 'red' }, '?fieldValidation=Strict')
    assert.equal(strict.code, 400)
    assert.match(String(strict.body.message), /strict decoding error: unknown field "spec.colour"$/)
    const ignored = await post('ignored', { size: 1, colour: 'red' }, '?fieldValidation=Ignore')
    assert.deepEqual([ignored.code, ignored.headers.warning], [201, undefined])
    assert.equal((await post('odd', { size: 1 }, '?fieldValidation=Maybe')).code, 400)
  })

  test('what does not fit the schema is refused with its causes', async () => {
    const { code, body } = await post('bad', { mode: 1 })
    assert.equal(code, 422)
    assert.match(String(body.message), /^Widget.example.com "bad" is invalid: \[spec.size: Required value, spec.mode: /)
    assert.deepEqual(
      listAt(body, 'details.causes').map(({ field, reason }) => `${field} ${reason}`),
      ['spec.size FieldValueRequired', 'spec.mode FieldValueInvalid'],
    )
  })

  test('a null where none may be is a field that is absent', async () => {
    const { code, body } = await post('nulls', { size: 1, mode: null, note: null })
    assert.deepEqual([code, body.spec], [201, { size: 1, mode: 'auto' }])
    const required = await post('none', { size: null })
    assert.match(String(required.body.message), /spec.size: Required value$/)
  })

  test('versions that were once stored stay on the list', async t => {
    const server = await startApiServer({ plainHttp: true, crds: [crd] })
    t.after(() => server.stop())
    const versions = crd.spec.versions.map(version => ({ ...version, storage: version.name === 'v1beta1' }))
    const body = { spec: { versions } }
    const { body: now } = await call(server, 'PATCH', `${CRDS}/widgets.example.com`, {
      ...{ body, contentType: 'application/merge-patch+json' },
    })
    assert.deepEqual(valueAt(now, 'status.storedVersions'), ['v1', 'v1beta1'])
  })

  test('a PUT needs a resourceVersion; the generation counts changes of the spec only', async () => {
    const { body } = await post('counted', { size: 1 })
    const put = (object: Fields, path = '') => call(server, 'PUT', `${WIDGETS}/counted${path}`, { body: object })
    assert.match(
      String((await put(widget('counted', { size: 2 }))).body.message),
      /metadata.resourceVersion.*must be specified for an update/,
    )
    const labelled = (await put({ ...body, metadata: { ...fieldsAt(body, 'metadata'), labels: { a: 'b' } } })).body
    assert.equal(valueAt(labelled, 'metadata.generation'), 1)
    const grown = (await put({ ...labelled, spec: { size: 2 } })).body
    assert.equal(valueAt(grown, 'metadata.generation'), 2)
  })

  test('status and the rest are written apart', async () => {
    await post('split', { size: 1 })
    const merge = (path: string, body: Fields) =>
      call(server, 'PATCH', `${WIDGETS}/split${path}`, { body, contentType: 'application/merge-patch+json' })
    const both = { metadata: { labels: { a: 'b' } }, spec: { size: 9 }, status: { ready: true } }
    const main = (await merge('', both)).body
    assert.deepEqual([main.spec, main.status], [{ size: 9, mode: 'auto' }, undefined])
    const status = (
      await merge('/status', { metadata: { labels: { a: 'c' } }, spec: { size: 3 }, status: { ready: true } })
    ).body
    assert.deepEqual([status.spec, status.status], [{ size: 9, mode: 'auto' }, { ready: true }])
    assert.deepEqual(valueAt(status, 'metadata.labels'), { a: 'b' })
    assert.equal(valueAt(status, 'metadata.generation'), 2)
  })

  test('an object reads in every served version, and is kept in one', async () => {
    await call(server, 'POST', WIDGETS.replace('/v1/', '/v1beta1/'), { body: widget('both', { size: 1 }, 'v1beta1') })
    for (const version of ['v1', 'v1beta1']) {
      const { body } = await call(server, 'GET', `${WIDGETS.replace('/v1/', `/${version}/`)}/both`)
      assert.equal(body.apiVersion, `example.com/${version}`)
    }
    assert.equal(server.cluster.store.get('example.com/widgets', 'default/both')?.object.apiVersion, 'example.com/v1')
  })

  test('a strategic merge patch is refused', async () => {
    await post('plain', { size: 1 })
    const contentType = 'application/strategic-merge-patch+json'
    assert.equal((await call(server, 'PATCH', `${WIDGETS}/plain`, { body: {}, contentType })).code, 415)
  })

  test('discovery names the kind, the preferred version first, until the definition goes and takes all with it', async () => {
    const group = async () => (await call(server, 'GET', '/apis/example.com')).body
    assert.deepEqual(
      listAt(await group(), 'versions').map(({ version }) => version),
      ['v1', 'v1beta1'],
    )
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json'
    const { body, headers } = await call(server, 'GET', '/apis', { accept })
    assert.equal(headers['content-type'], 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList')
    const found = listAt(body, 'items').find(item => valueAt(item, 'metadata.name') === 'example.com')
    assert.deepEqual(
      listAt(found, 'versions').map(({ version }) => version),
      ['v1', 'v1beta1'],
    )
    assert.equal((await call(server, 'DELETE', `${CRDS}/widgets.example.com`)).code, 200)
    assert.equal((await call(server, 'GET', WIDGETS)).code, 404)
    assert.deepEqual(server.cluster.store.list('example.com/widgets'), [])
    assert.equal((await group()).code, 404)
  })

  test('rules are asked about objects of the right form, and about changes of them', async () => {
    const size = {
      ...spec.properties.size,
      'x-kubernetes-validations': [{ rule: 'self >= oldSelf', message: 'grow only' }],
    }
    const ruled = { ...schema.openAPIV3Schema, properties: { spec: { ...spec, properties: { size } } } }
    const versions = [{ ...crd.spec.versions[1]!, schema: { openAPIV3Schema: ruled } }]
    const definition = { ...crd.spec, names: { kind: 'Growing', plural: 'growings' }, versions }
    await call(server, 'POST', CRDS, { body: { ...crd, metadata: { name: 'growings.example.com' }, spec: definition } })
    const path = '/apis/example.com/v1/namespaces/default/growings'
    await call(server, 'POST', path, { body: { ...widget('g', { size: 5 }), kind: 'Growing' } })
    const grow = (size: unknown) =>
      call(server, 'PATCH', `${path}/g`, { body: { spec: { size } }, contentType: 'application/merge-patch+json' })
    assert.equal((await grow(6)).code, 200)
    const { code, body } = await grow(4)
    assert.equal(code, 422)
    assert.equal(body.message, 'Growing.example.com "g" is invalid: spec.size: Invalid value: "integer": grow only')
    assert.doesNotMatch(String((await grow('x')).body.message), /grow only/)
  })

  test('a definition with a rule that cannot be read is refused', async () => {
    const ruled = { ...schema.openAPIV3Schema, 'x-kubernetes-validations': [{ rule: 'self.spec ==' }] }
    const versions = [{ ...crd.spec.versions[1]!, schema: { openAPIV3Schema: ruled } }]
    const metadata = { name: 'ruled.example.com' }
    const body = { ...crd, metadata, spec: { ...crd.spec, names: { kind: 'Ruled', plural: 'ruled' }, versions } }
    const refused = await call(server, 'POST', CRDS, { body })
    assert.equal(refused.code, 422)
    assert.match(
      String(refused.body.message),
      /spec\.versions\[0\]\.schema\.openAPIV3Schema\.x-kubernetes-validations\[0\]\.rule: Invalid value: "self\.spec ==": compilation failed/,
    )
  })

  test('a definition that contradicts itself is refused', async () => {
    const wrong = { ...crd, metadata: { name: 'gadgets.example.com' } }
    const refused = await call(server, 'POST', CRDS, { body: wrong })
    assert.match(
      String(refused.body.message),
      /metadata.name: Invalid value: "gadgets.example.com": must be spec.names.plural/,
    )
    const bare = await call(server, 'POST', CRDS, { body: { metadata: { name: 'x' }, spec: {} } })
    assert.match(String(bare.body.message), /spec.group: Required value, spec.scope: Required value/)
  })
})

test('versions are preferred as Kubernetes prefers them', () => {
  const versions = ['v1alpha1', 'v1beta1', 'v2alpha1', 'v1', 'v1beta2', 'v2']
  assert.deepEqual(versions.sort(compareVersions), ['v2', 'v1', 'v1beta2', 'v1beta1', 'v2alpha1', 'v1alpha1'])
})
