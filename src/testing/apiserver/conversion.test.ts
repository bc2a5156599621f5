import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { call, OpenWatch } from './bare-client.ts'
import { type Fields, fieldsAt, listAt, valueAt } from './object.ts'
import { type ApiServer, startApiServer } from './server.ts'
import { converting, WebhookStub } from './webhook-stub.ts'

const version = (name: string, field: string, storage: boolean) => ({
  ...{ name, storage, served: true, subresources: { status: {} } },
  schema: {
    openAPIV3Schema: {
      type: 'object',
      properties: { spec: { type: 'object', required: [field], properties: { [field]: { type: 'integer' } } } },
    },
  },
  additionalPrinterColumns: [{ name: 'Size', type: 'integer', jsonPath: `.spec.${field}` }],
})
const crd = (clientConfig: Fields) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { kind: 'Widget', plural: 'widgets' },
    versions: [version('v1', 'old', false), version('v2', 'new', true)],
    conversion: { strategy: 'Webhook', webhook: { clientConfig, conversionReviewVersions: ['v1'] } },
  },
})
const path = (name: string, more = '') => `/apis/example.com/${name}/namespaces/default/widgets${more}`
const MERGE = 'application/merge-patch+json'

/** `old` counts in tens what `new` counts in ones. */
const scaled = converting((object, apiVersion) => {
  const spec = fieldsAt(object, 'spec')
  const back = apiVersion === 'example.com/v1'
  return { ...object, spec: back ? { old: Number(spec.new) / 10 } : { new: Number(spec.old) * 10 } }
})

describe('conversion by webhook', () => {
  let server: ApiServer
  let hook: WebhookStub
  before(async () => {
    hook = await WebhookStub.start()
    server = await startApiServer({
      plainHttp: true,
      crds: [crd({ url: `${hook.url}/convert`, caBundle: hook.caBundle })],
    })
  })
  after(async () => {
    await server.stop()
    await hook.stop()
  })
  beforeEach(async () => {
    hook.answer = scaled
    await call(server, 'DELETE', path('v2'))
    hook.seen.length = 0
  })

  const create = (name: string, spec: Fields, at = 'v2') =>
    call(server, 'POST', path(at), {
      body: { apiVersion: `example.com/${at}`, kind: 'Widget', metadata: { name }, spec },
    })
  const specAt = async (at: string, name: string) => (await call(server, 'GET', path(at, `/${name}`))).body.spec

  test('an object written in one version reads in the other', async () => {
    const { code, body } = await create('a', { old: 3 }, 'v1')
    assert.deepEqual([code, body.apiVersion, body.spec], [201, 'example.com/v1', { old: 3 }])
    assert.deepEqual(await specAt('v2', 'a'), { new: 30 })
    await create('b', { new: 70 })
    assert.deepEqual(await specAt('v1', 'b'), { old: 7 })
  })

  test('a patch and an update work on the version of the request', async () => {
    await create('a', { new: 30 })
    const patched = await call(server, 'PATCH', path('v1', '/a'), { body: { spec: { old: 4 } }, contentType: MERGE })
    assert.deepEqual([patched.body.spec, valueAt(patched.body, 'metadata.generation')], [{ old: 4 }, 2])
    const body = { ...patched.body, spec: { old: 5 } }
    assert.deepEqual((await call(server, 'PUT', path('v1', '/a'), { body })).body.spec, { old: 5 })
    assert.deepEqual(await specAt('v2', 'a'), { new: 50 })
  })

  test('a write that changes nothing keeps the revision', async () => {
    const first = await create('a', { new: 30 })
    const again = await call(server, 'PATCH', path('v1', '/a'), { body: { spec: { old: 3 } }, contentType: MERGE })
    const revision = (body: Fields) => valueAt(body, 'metadata.resourceVersion')
    assert.equal(revision(again.body), revision(first.body))
  })

  test('the schema of the version of the request decides', async () => {
    const { code, body } = await create('a', { new: 1 }, 'v1')
    assert.equal(code, 422)
    assert.match(String(body.message), /spec\.old: Required value/)
  })

  test('a list is converted at once, each revision only once', async () => {
    for (const name of ['a', 'b', 'c']) await create(name, { new: 10 })
    const { body } = await call(server, 'GET', path('v1'))
    assert.deepEqual(
      [body.apiVersion, listAt(body, 'items').map(({ spec }) => spec)],
      ['example.com/v1', [{ old: 1 }, { old: 1 }, { old: 1 }]],
    )
    await call(server, 'GET', path('v1'))
    await call(server, 'GET', path('v1', '/a'))
    assert.deepEqual(
      hook.seen.map(({ objects }) => (objects as Fields[]).length),
      [3],
    )
  })

  test('an empty list and the stored version need no webhook', async () => {
    hook.answer = () => ({ result: { status: 'Failure' } })
    assert.equal((await call(server, 'GET', path('v1'))).code, 200)
    await create('a', { new: 10 })
    assert.equal((await call(server, 'GET', path('v2'))).code, 200)
    assert.equal(hook.seen.length, 0)
  })

  test('a table has the columns of its version', async () => {
    await create('a', { new: 90 })
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
    const { body } = await call(server, 'GET', path('v1'), { accept })
    assert.deepEqual(
      listAt(body, 'rows').map(({ cells }) => cells),
      [['a', 9]],
    )
  })

  test('a watch shows its version, in order though the webhook answers out of order', async t => {
    await create('a', { new: 10 })
    const watch = new OpenWatch(server, path('v1', '?watch=1'))
    t.after(() => watch.close())
    await watch.until(() => watch.events.length === 1)
    let release = () => {}
    const slow = new Promise<void>(resolve => {
      release = resolve
    })
    hook.answer = async (request, at) => {
      if (JSON.stringify(request.objects).includes('"b"')) await slow
      else release()
      return scaled(request, at)
    }
    await create('b', { new: 20 })
    await create('c', { new: 30 })
    await call(server, 'DELETE', path('v2', '/a'))
    await watch.until(() => watch.events.length === 4)
    assert.deepEqual(watch.seen, ['ADDED a', 'ADDED b', 'ADDED c', 'DELETED a'])
    assert.deepEqual(
      watch.events.map(({ object }) => object.spec),
      [{ old: 1 }, { old: 2 }, { old: 3 }, { old: 1 }],
    )
  })

  test('what needs no webhook any more waits for what does', async t => {
    await create('a', { new: 10 })
    await create('b', { new: 20 })
    await call(server, 'GET', path('v1', '/b'))
    let release = () => {}
    const slow = new Promise<void>(resolve => {
      release = resolve
    })
    hook.answer = (request, at) => slow.then(() => scaled(request, at))
    const watch = new OpenWatch(server, path('v1', '?watch=1'))
    t.after(() => watch.close())
    await watch.opened()
    release()
    await watch.until(() => watch.events.length === 2)
    assert.deepEqual(watch.seen, ['ADDED a', 'ADDED b'])
  })

  const head = 'conversion webhook for example.com/v2, Kind=Widget failed: '
  const REFUSALS: [name: string, answer: Fields, message: RegExp][] = [
    ['says no', { result: { status: 'Failure', message: 'cannot' } }, /cannot$/],
    ['answers another', { uid: 'x', result: { status: 'Success' } }, /expected response\.uid=.*, got x$/],
    ['loses objects', { result: { status: 'Success' }, convertedObjects: [] }, /expected 1 converted objects, got 0$/],
    [
      'answers strange things',
      { result: { status: 'Success' }, convertedObjects: [{}] },
      /expected a Widget in example.com\/v1$/,
    ],
    [
      'renames',
      {
        result: { status: 'Success' },
        convertedObjects: [{ apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'b' } }],
      },
      /must keep its name and uid$/,
    ],
  ]
  for (const [name, answer, message] of REFUSALS)
    test(`a webhook that ${name} fails the request`, async () => {
      await create('a', { new: 10 })
      hook.answer = () => answer
      const { code, body } = await call(server, 'GET', path('v1', '/a'))
      assert.equal(code, 500)
      assert.ok(String(body.message).startsWith(head), String(body.message))
      assert.match(String(body.message), message)
    })

  test('a watch whose conversion fails ends with an error', async t => {
    await create('a', { new: 10 })
    hook.answer = () => ({ result: { status: 'Failure', message: 'cannot' } })
    const watch = new OpenWatch(server, path('v1', '?watch=1'))
    t.after(() => watch.close())
    await watch.until(() => watch.ended !== undefined)
    assert.deepEqual(
      watch.events.map(({ type, object }) => [type, object.code]),
      [['ERROR', 500]],
    )
  })

  test('a validating webhook sees the version its rules name, unless it wants an exact match', async t => {
    const review = await WebhookStub.start()
    t.after(() => review.stop())
    const configure = (matchPolicy: string) => ({
      ...{ apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingWebhookConfiguration' },
      metadata: { name: matchPolicy.toLowerCase() },
      webhooks: [
        {
          ...{ name: 'v.example.com', matchPolicy, clientConfig: { url: review.url, caBundle: review.caBundle } },
          rules: [{ apiGroups: ['example.com'], apiVersions: ['v2'], operations: ['CREATE'], resources: ['widgets'] }],
        },
      ],
    })
    const hooks = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations'
    await call(server, 'POST', hooks, { body: configure('Exact') })
    assert.equal((await create('a', { old: 3 }, 'v1')).code, 201)
    assert.equal(review.seen.length, 0)
    await call(server, 'POST', hooks, { body: configure('Equivalent') })
    assert.equal((await create('b', { old: 3 }, 'v1')).code, 201)
    assert.deepEqual(
      review.seen.map(({ object }) => valueAt(object, 'spec')),
      [{ new: 30 }],
    )
    assert.deepEqual(
      review.seen.map(({ requestKind }) => valueAt(requestKind, 'version')),
      ['v1'],
    )
    await call(server, 'DELETE', hooks)
  })
})
