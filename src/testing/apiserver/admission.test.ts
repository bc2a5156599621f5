import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { call, type Reply } from './bare-client.ts'
import { type Fields, fieldsAt, valueAt } from './object.ts'
import { type ApiServer, startApiServer } from './server.ts'
import { WebhookStub } from './webhook-stub.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const HOOKS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations'
const ALL = { apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps'] }
const DENIED = { allowed: false, status: { code: 403, message: 'no such thing' } }

describe('validating webhooks', () => {
  let server: ApiServer
  let hook: WebhookStub
  let serial = 0
  before(async () => {
    hook = await WebhookStub.start()
    const tokens = [{ token: 'jane-token', user: 'jane', groups: ['dev'] }]
    server = await startApiServer({ plainHttp: true, tokens, rbac: false })
  })
  after(async () => {
    await server.stop()
    await hook.stop()
  })
  beforeEach(async () => {
    await call(server, 'DELETE', HOOKS)
    hook.seen.length = 0
    hook.answer = () => ({ allowed: true })
  })

  async function configure(more: Fields, clientConfig?: Fields): Promise<void> {
    const client = clientConfig ?? { url: `${hook.url}/validate`, caBundle: hook.caBundle }
    const webhook = { name: 'v.example.com', clientConfig: client, rules: [ALL], sideEffects: 'None', ...more }
    const body = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: `hooks-${++serial}` },
      webhooks: [webhook],
    }
    assert.equal((await call(server, 'POST', HOOKS, { body })).code, 201)
  }
  const map = (name: string, more: Fields = {}): Fields => ({ metadata: { name, ...more }, data: { a: '1' } })
  const post = (name: string, more: Fields = {}): Promise<Reply> =>
    call(server, 'POST', MAPS, { body: map(name, more), token: 'jane-token' })

  test('a webhook is told who does what to what', async () => {
    await configure({})
    await post('told')
    await call(server, 'PUT', `${MAPS}/told`, { body: { ...map('told'), data: { a: '2' } } })
    await call(server, 'DELETE', `${MAPS}/told`)
    const [created, updated, deleted] = hook.seen
    const kind = { group: '', version: 'v1', kind: 'ConfigMap' }
    assert.deepEqual(created!.kind, kind)
    assert.deepEqual(created!.resource, { group: '', version: 'v1', resource: 'configmaps' })
    assert.deepEqual([created!.name, created!.namespace, created!.dryRun], ['told', 'default', false])
    assert.deepEqual(created!.userInfo, { username: 'jane', groups: ['dev', 'system:authenticated'] })
    const story = [created, updated, deleted].map(request => [
      request!.operation,
      valueAt(request, 'oldObject.data.a'),
      valueAt(request, 'object.data.a'),
    ])
    assert.deepEqual(story, [
      ['CREATE', undefined, '1'],
      ['UPDATE', '1', '2'],
      ['DELETE', '2', undefined],
    ])
  })

  const REFUSALS: [name: string, answer: Fields, code: number, message: string][] = [
    ['with code', DENIED, 403, 'admission webhook "v.example.com" denied the request: no such thing'],
    [
      'without code',
      { allowed: false, status: { message: 'no' } },
      400,
      'admission webhook "v.example.com" denied the request: no',
    ],
    [
      'by reason',
      { allowed: false, status: { reason: 'Forbidden' } },
      400,
      'admission webhook "v.example.com" denied the request: Forbidden',
    ],
    ['silently', { allowed: false }, 400, 'admission webhook "v.example.com" denied the request without explanation'],
  ]
  for (const [name, answer, code, message] of REFUSALS)
    test(`a refusal ${name} reaches the client in the words of Kubernetes, and nothing is stored`, async () => {
      await configure({})
      hook.answer = () => answer
      const reply = await post('refused')
      assert.deepEqual([reply.code, reply.body.message], [code, message])
      assert.equal((await call(server, 'GET', `${MAPS}/refused`)).code, 404)
    })

  test('a refused change and a refused deletion leave the object as it was', async () => {
    await post('kept')
    await configure({})
    hook.answer = () => DENIED
    const type = 'application/merge-patch+json'
    assert.equal(
      (await call(server, 'PATCH', `${MAPS}/kept`, { body: { data: { a: '2' } }, contentType: type })).code,
      403,
    )
    assert.equal((await call(server, 'DELETE', `${MAPS}/kept`)).code, 403)
    assert.equal((await call(server, 'DELETE', MAPS)).code, 403)
    assert.equal(valueAt((await call(server, 'GET', `${MAPS}/kept`)).body, 'data.a'), '1')
  })

  test('warnings are passed on, with a refusal too', async () => {
    await configure({})
    hook.answer = () => ({ allowed: true, warnings: ['old "field"', 'second'] })
    assert.equal((await post('warned')).headers.warning, '299 - "old \\"field\\"", 299 - "second"')
    hook.answer = () => ({ ...DENIED, warnings: ['think again'] })
    assert.equal((await post('warned-2')).headers.warning, '299 - "think again"')
  })

  const UNREACHABLE = 'Internal error occurred: failed calling webhook "v.example.com": failed to call webhook: '
  const BROKEN: [name: string, config: () => Fields, more: Fields, answer: Fields, message: RegExp][] = [
    [
      'nobody listens',
      () => ({ url: 'https://127.0.0.1:1/validate' }),
      {},
      {},
      /Post "https:\/\/127\.0\.0\.1:1\/validate\?timeout=10s": connect ECONNREFUSED/,
    ],
    ['an unknown authority', () => ({ url: hook.url }), {}, {}, /certificate/],
    [
      'an HTTP error',
      () => ({ url: hook.url, caBundle: hook.caBundle }),
      {},
      { httpStatus: 500 },
      /an error on the server/,
    ],
    [
      'a strange uid',
      () => ({ url: hook.url, caBundle: hook.caBundle }),
      {},
      { uid: 'other', allowed: true },
      /expected response.uid="[^"]+", got "other"/,
    ],
    [
      'no such service',
      () => ({ service: { namespace: 'default', name: 'none' } }),
      {},
      {},
      /service "none" not found/,
    ],
  ]
  for (const [name, config, more, answer, message] of BROKEN)
    test(`${name}: refused under failurePolicy Fail, passed over under Ignore`, async () => {
      await configure({ failurePolicy: 'Fail', ...more }, config())
      hook.answer = () => answer
      const refused = await post('failing')
      assert.equal(refused.code, 500)
      assert.ok(String(refused.body.message).startsWith(UNREACHABLE), String(refused.body.message))
      assert.match(String(refused.body.message), message)
      await call(server, 'DELETE', HOOKS)
      await configure({ failurePolicy: 'Ignore', ...more }, config())
      assert.equal((await post(`passed-${serial}`)).code, 201)
    })

  test('a webhook that is silent for timeoutSeconds counts as unreachable', async () => {
    await configure({ timeoutSeconds: 1 })
    let release = () => {}
    const released = new Promise<void>(resolve => {
      release = resolve
    })
    hook.answer = () => released.then(() => ({ allowed: true }))
    const { code, body } = await post('late')
    release()
    assert.equal(code, 500)
    assert.match(String(body.message), /validate\?timeout=1s": context deadline exceeded$/)
  })

  const MATCHES: [name: string, webhook: Fields, asked: boolean][] = [
    ['the operation', { rules: [{ ...ALL, operations: ['UPDATE'] }] }, false],
    ['the group', { rules: [{ ...ALL, apiGroups: ['metallb.io'] }] }, false],
    ['any group', { rules: [{ ...ALL, apiGroups: ['*'] }] }, true],
    ['the resource', { rules: [{ ...ALL, resources: ['secrets'] }] }, false],
    ['any resource', { rules: [{ ...ALL, resources: ['*'] }] }, true],
    ['a subresource only', { rules: [{ ...ALL, resources: ['configmaps/status'] }] }, false],
    ['the scope', { rules: [{ ...ALL, scope: 'Cluster' }] }, false],
    ['labels of the object', { objectSelector: { matchLabels: { app: 'web' } } }, true],
    ['other labels', { objectSelector: { matchLabels: { app: 'other' } } }, false],
    [
      'an expression',
      { objectSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['web'] }] } },
      true,
    ],
    [
      'the opposite',
      { objectSelector: { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['web'] }] } },
      false,
    ],
    ['existence', { objectSelector: { matchExpressions: [{ key: 'app', operator: 'Exists' }] } }, true],
    ['absence', { objectSelector: { matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] } }, false],
    ['the namespace', { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'default' } } }, true],
    ['another namespace', { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'x' } } }, false],
  ]
  for (const [name, webhook, asked] of MATCHES)
    test(`selected by ${name}: ${asked ? 'asked' : 'not asked'}`, async () => {
      await configure(webhook)
      assert.equal((await post(`by-${serial}`, { labels: { app: 'web' } })).code, 201)
      assert.equal(hook.seen.length, asked ? 1 : 0)
    })

  test('a write that another one overtakes while the webhook thinks is worked out anew', async () => {
    await post('raced')
    await configure({})
    hook.answer = async ({ object }) => {
      if (hook.seen.length === 1)
        server.objects.put({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'raced' },
          data: { other: 'x' },
        } as never)
      return { allowed: fieldsAt(object as Fields, 'data').other !== 'refused' }
    }
    const options = { body: { data: { mine: 'y' } }, contentType: 'application/merge-patch+json' }
    const { body } = await call(server, 'PATCH', `${MAPS}/raced`, options)
    assert.deepEqual(body.data, { other: 'x', mine: 'y' })
    assert.equal(hook.seen.length, 2)
  })

  test('a dry run asks, and says that it is one', async () => {
    await configure({})
    assert.equal((await call(server, 'POST', `${MAPS}?dryRun=All`, { body: map('dry') })).code, 201)
    assert.deepEqual(
      hook.seen.map(({ dryRun }) => dryRun),
      [true],
    )
    assert.equal((await call(server, 'GET', `${MAPS}/dry`)).code, 404)
  })
})

test('a webhook behind a Service is found by its endpoints, or where the test says, under the name of the Service', async t => {
  const hook = await WebhookStub.start()
  t.after(() => hook.stop())
  const webhookService = (namespace: string, name: string) =>
    name === 'elsewhere' ? `https://127.0.0.1:${namespace === 'default' ? hook.port : 1}` : undefined
  const server = await startApiServer({ plainHttp: true, webhookService, endpointSlices: false })
  t.after(() => server.stop())
  server.objects.put({
    ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'hook', namespace: 'default' } },
    spec: { ports: [{ name: 'https', port: 443, targetPort: 9443 }] },
  } as never)
  const config = (name: string) => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name },
    webhooks: [
      {
        name: 'v.example.com',
        clientConfig: { service: { namespace: 'default', name, path: '/review' }, caBundle: hook.caBundle },
        rules: [ALL],
      },
    ],
  })
  await call(server, 'POST', HOOKS, { body: config('hook') })
  const paths: string[] = []
  hook.answer = (_request, path) => {
    paths.push(path)
    return { allowed: true }
  }
  const none = await call(server, 'POST', MAPS, { body: { metadata: { name: 'none' } } })
  assert.match(String(none.body.message), /no endpoints available for service "hook"/)
  server.objects.put({
    ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType: 'IPv4' },
    metadata: { name: 'hook-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'hook' } },
    endpoints: [
      { addresses: ['127.0.0.9'], conditions: { ready: false } },
      { addresses: ['127.0.0.1'], conditions: { ready: true } },
    ],
    ports: [{ name: 'https', port: hook.port }],
  } as never)
  assert.equal((await call(server, 'POST', MAPS, { body: { metadata: { name: 'found' } } })).code, 201)
  await call(server, 'DELETE', HOOKS)
  await call(server, 'POST', HOOKS, { body: config('elsewhere') })
  const { text } = await call(server, 'POST', MAPS, { body: { metadata: { name: 'hooked' } } })
  assert.match(text, /elsewhere\.default\.svc.*cert's altnames/i, 'the certificate is not of this Service')
  assert.deepEqual(paths, ['/review?timeout=10s'])
})
