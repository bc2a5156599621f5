import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { type TestContext, test } from 'node:test'
import { nodes, services } from '../../api/index.ts'
import { KubeError, type Random } from '../../ports/index.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { FakeMetrics } from '../../testing/fake-metrics.ts'
import { answer, ScriptedApi, status } from '../../testing/scripted-api.ts'
import { systemClock } from '../system/clock.ts'
import type { Access, Identity } from './access.ts'
import { KubeClient } from './client.ts'
import { Connection, type ConnectionOptions } from './connection.ts'
import { backoffMs, readRetryDelayMs } from './retry.ts'

const random: Random = { next: () => 0, bytes: length => new Uint8Array(length) }
const web = { namespace: 'shop', name: 'web' }
const object = { metadata: { ...web, uid: 'u', resourceVersion: '7' } }

async function open(t: TestContext, given: Partial<ConnectionOptions> & { base?: string } = {}) {
  const api = await new ScriptedApi().start()
  let tokens = ['first', 'second']
  const access: Access = {
    source: 'test',
    server: new URL(api.url + (given.base ?? '')),
    tls: { rejectUnauthorized: true },
    identity: async () => ({ token: tokens[0] }),
    renew: () => {
      tokens = tokens.slice(1)
      return tokens.length > 0
    },
  }
  const connection = new Connection({ access, clock: systemClock, ...given })
  t.after(async () => {
    connection.close()
    await api.stop()
  })
  return { api, client: new KubeClient(connection, random), connection }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const chunk of request) text += chunk
  return JSON.parse(text)
}

test('each verb asks for what the API expects', async t => {
  const { api, client } = await open(t, { userAgent: 'metallb-test/1', base: '/proxy/' })
  const seen: unknown[] = []
  const echo = () =>
    api.once('any', async (request, response) => {
      const { 'content-type': type, authorization, 'user-agent': agent } = request.headers
      assert.deepEqual([authorization, agent], ['Bearer first', 'metallb-test/1'])
      const body = request.method === 'GET' ? undefined : await bodyOf(request)
      seen.push([type, body])
      answer(response, 200, object)
    })
  for (let index = 0; index < 9; index++) echo()
  const service = { ...object, spec: { type: 'LoadBalancer' } }
  const node = { metadata: { name: 'n1' } }
  assert.deepEqual(await client.get(services, web), object)
  await client.create(services, service)
  await client.replace(services, service)
  await client.replace(services, service, 'status')
  await client.patch(services, web, { type: 'merge', body: { a: 1n } }, 'status')
  await client.patch(services, web, { type: 'json', body: [] })
  await client.patch(nodes, { name: 'n1' }, { type: 'apply', body: node, fieldManager: 'm', force: true })
  await client.delete(services, web, { uid: 'u' })
  await client.create(nodes, node)
  assert.deepEqual(api.requests, [
    'GET /proxy/api/v1/namespaces/shop/services/web',
    'POST /proxy/api/v1/namespaces/shop/services',
    'PUT /proxy/api/v1/namespaces/shop/services/web',
    'PUT /proxy/api/v1/namespaces/shop/services/web/status',
    'PATCH /proxy/api/v1/namespaces/shop/services/web/status',
    'PATCH /proxy/api/v1/namespaces/shop/services/web',
    'PATCH /proxy/api/v1/nodes/n1?fieldManager=m&force=true',
    'DELETE /proxy/api/v1/namespaces/shop/services/web',
    'POST /proxy/api/v1/nodes',
  ])
  const kinds = { apiVersion: 'v1', kind: 'Service' }
  assert.deepEqual(seen, [
    [undefined, undefined],
    ['application/json', { ...service, ...kinds }],
    ['application/json', { ...service, ...kinds }],
    ['application/json', { ...service, ...kinds }],
    ['application/merge-patch+json', { a: 1 }],
    ['application/json-patch+json', []],
    ['application/apply-patch+yaml', node],
    ['application/json', { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: 'u' } }],
    ['application/json', { ...node, apiVersion: 'v1', kind: 'Node' }],
  ])
})

test('lists are paged and their items carry the kind', async t => {
  const { api, client } = await open(t)
  for (let index = 0; index < 501; index++) api.put(`s${index}`)
  const list = await client.list(services, { namespace: 'shop', labelSelector: 'a=b,c', fieldSelector: 'x=y' })
  assert.equal(list.length, 501)
  assert.deepEqual([list[500]?.apiVersion, list[500]?.kind], ['v1', 'Service'])
  const path = '/api/v1/namespaces/shop/services?labelSelector=a%3Db%2Cc&fieldSelector=x%3Dy&limit=500'
  assert.deepEqual(api.requests, [`GET ${path}`, `GET ${path}&continue=500`])
})

test('a list whose token keeps expiring is asked for in one piece', async t => {
  const { api, client } = await open(t)
  for (let index = 0; index < 501; index++) api.put(`s${index}`)
  const page = { metadata: { resourceVersion: '1', continue: 'x' }, items: [] }
  for (let attempt = 0; attempt < 2; attempt++) {
    api.once('list', (_request, response) => answer(response, 200, page))
    api.once('list', (_request, response) => answer(response, 410, status(410, 'Expired', 'continue')))
  }
  assert.equal((await client.list(services)).length, 501)
  assert.equal(api.requests.at(-1), 'GET /api/v1/services')
})

const refusals: [string, number, unknown, Record<string, string>, Partial<KubeError>][] = [
  ['404', 404, status(404, 'NotFound', 'services "web" not found'), {}, { code: 'NOT_FOUND', status: 404 }],
  ['404 without a Status', 404, '404 page not found', {}, { code: 'NOT_FOUND' }],
  ['409 AlreadyExists', 409, status(409, 'AlreadyExists', 'x'), {}, { code: 'ALREADY_EXISTS' }],
  ['409 Conflict', 409, status(409, 'Conflict', 'x'), {}, { code: 'CONFLICT' }],
  ['409 bare', 409, '', {}, { code: 'CONFLICT' }],
  ['410', 410, status(410, 'Expired', 'x'), {}, { code: 'GONE' }],
  ['422', 422, status(422, 'Invalid', 'spec.x: Invalid value'), {}, { code: 'INVALID', status: 422 }],
  ['400', 400, 'x', {}, { code: 'INVALID' }],
  ['401', 401, status(401, 'Unauthorized', 'x'), {}, { code: 'UNAUTHORIZED' }],
  ['403', 403, status(403, 'Forbidden', 'x'), {}, { code: 'FORBIDDEN' }],
  ['429', 429, 'x', { 'retry-after': '7' }, { code: 'TOO_MANY_REQUESTS', retryAfterMs: 7_000 }],
  ['429 in seconds of its details', 429, { details: { retryAfterSeconds: 2 } }, {}, { retryAfterMs: 2_000 }],
  ['500', 500, '<html> boom </html>', {}, { code: 'SERVER', status: 500 }],
  ['503', 503, status(503, 'ServiceUnavailable', 'x'), {}, { code: 'SERVER' }],
  ['a redirect', 302, '', { location: '/' }, { code: 'SERVER' }],
  ['success that is no JSON', 200, '{"metadata":', {}, { code: 'MALFORMED' }],
  ['success that is a list', 200, '[]', {}, { code: 'MALFORMED' }],
]
for (const [name, code, body, headers, expected] of refusals)
  test(`a write refused with ${name} is not repeated`, async t => {
    const { api, client } = await open(t)
    for (let index = 0; index < 3; index++)
      api.once('any', (_request, response) => answer(response, code, body, headers))
    await assert.rejects(client.create(services, object), (error: KubeError) => {
      assert.match(error.message, /^POST \/api\/v1\/namespaces\/shop\/services: ./)
      for (const [key, value] of Object.entries(expected)) assert.equal(error[key as keyof KubeError], value, key)
      return error instanceof KubeError
    })
    assert.equal(api.requests.length, code === 401 ? 2 : 1)
  })

test('a read is repeated after what may pass by itself, with Retry-After, and not after a refusal', async t => {
  const clock = new FakeClock()
  const { api, client } = await open(t, { clock })
  api.once('any', (_request, response) => answer(response, 429, 'x', { 'retry-after': '1' }))
  api.once('any', (request, _response) => request.socket.resetAndDestroy())
  api.once('any', (_request, response) => answer(response, 200, object))
  const got = client.get(services, web)
  for (const delay of [1_000, 200]) {
    while (clock.next !== delay) await new Promise(resolve => setImmediate(resolve))
    clock.advance(delay)
  }
  assert.deepEqual(await got, object)
  api.once('any', (_request, response) => answer(response, 404, 'x'))
  await assert.rejects(client.get(services, web), { code: 'NOT_FOUND' })
  assert.equal(api.requests.length, 4)
})

test('no answer in time is a network error that says so', async t => {
  const clock = new FakeClock()
  const { api, connection } = await open(t, { clock })
  for (const late of ['headers', 'body']) {
    const asked = new Promise<void>(resolve => {
      api.once('any', (_request, response) => {
        if (late === 'body') response.write('{')
        setImmediate(resolve)
      })
    })
    const request = connection.request({ method: 'PUT', path: '/x', timeoutMs: 1_000 })
    await Promise.race([asked, request])
    clock.advance(1_000)
    await assert.rejects(request, { code: 'NETWORK', message: 'PUT /x: no answer within 1000 ms' })
  }
  assert.equal(clock.armed, 0)
})

test('an answer that is too long, or ends early, is an error', async t => {
  const { api, connection } = await open(t, { maxAnswerBytes: 10 })
  api.once('any', (_request, response) => answer(response, 200, '0123456789'))
  assert.equal((await connection.request({ method: 'GET', path: '/' })).text, '0123456789')
  api.once('any', (_request, response) => answer(response, 200, '0123456789a'))
  await assert.rejects(connection.request({ method: 'GET', path: '/' }), { code: 'MALFORMED' })
  api.once('any', (_request, response) => {
    response.writeHead(200, { 'content-length': 5 })
    response.write('12')
    setTimeout(() => response.destroy(), 5)
  })
  await assert.rejects(connection.request({ method: 'GET', path: '/' }), { code: 'NETWORK' })
})

test('nobody there is a network error that names the request', async t => {
  const { api, connection } = await open(t)
  await api.stop()
  await assert.rejects(connection.request({ method: 'GET', path: '/version?x' }), (error: KubeError) => {
    assert.equal(error.code, 'NETWORK')
    assert.match(error.message, /^GET \/version: .*ECONNREFUSED/)
    return true
  })
})

test('401 is asked again once with renewed credentials', async t => {
  const { api, client } = await open(t)
  const tokens: unknown[] = []
  for (const code of [401, 200])
    api.once('any', (request, response) => {
      tokens.push(request.headers.authorization)
      answer(response, code, object)
    })
  await client.create(services, object)
  assert.deepEqual(tokens, ['Bearer first', 'Bearer second'])
})

test('credentials that cannot be read reject the request with their message', async t => {
  const { api } = await open(t)
  const identity = async (): Promise<Identity> => {
    const { CredentialsError } = await import('./access.ts')
    throw new CredentialsError('/token: the file is empty')
  }
  const access = {
    source: 't',
    server: new URL(api.url),
    tls: { rejectUnauthorized: true },
    identity,
    renew: () => false,
  }
  const connection = new Connection({ access, clock: systemClock })
  await assert.rejects(connection.request({ method: 'GET', path: '/' }), {
    code: 'UNAUTHORIZED',
    message: '/token: the file is empty',
  })
})

for (const ref of [{ name: '' }, { name: '..' }, { name: 'a/b' }, { name: 'a%2fb' }, { name: 'a', namespace: '' }])
  test(`a reference that would ask for something else is refused: ${JSON.stringify(ref)}`, async t => {
    const { api, client } = await open(t)
    await assert.rejects(client.delete(services, { namespace: 'shop', ...ref }), { code: 'INVALID' })
    assert.deepEqual(api.requests, [])
  })

test('requests are counted by code, method and host', async t => {
  const metrics = new FakeMetrics()
  const { api, connection } = await open(t, { metrics })
  await connection.request({ method: 'GET', path: '/' })
  const { host } = new URL(api.url)
  await api.stop()
  await connection.request({ method: 'GET', path: '/' }).catch(() => {})
  assert.deepEqual(
    [...metrics.series],
    [
      [`rest_client_requests_total{code="200",host="${host}",method="GET"}`, 1],
      [`rest_client_requests_total{code="<error>",host="${host}",method="GET"}`, 1],
    ],
  )
})

test('back-off doubles from 200 ms to 15 s, half of it by chance, and Retry-After bounds it below', () => {
  const half = { ...random, next: () => 0 }
  const full = { ...random, next: () => 1 }
  assert.deepEqual(
    [1, 2, 3, 7, 8, 50].map(n => backoffMs(n, full)),
    [200, 400, 800, 12_800, 15_000, 15_000],
  )
  assert.deepEqual(
    [1, 50].map(n => backoffMs(n, half)),
    [100, 7_500],
  )
  assert.equal(backoffMs(1, full, 5_000), 5_000)
  assert.equal(backoffMs(1, full, 3_600_000), 60_000)
  assert.equal(readRetryDelayMs(new KubeError('SERVER', ''), 1, full), 200)
  assert.equal(readRetryDelayMs(new KubeError('SERVER', '', { retryAfterMs: 9_000 }), 1, full), undefined)
  assert.equal(readRetryDelayMs(new KubeError('FORBIDDEN', ''), 1, full), undefined)
})
