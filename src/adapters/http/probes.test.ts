import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { FakeLog } from '../../testing/fake-log.ts'
import { type Checks, ProbeServer } from './probes.ts'

async function open(t: TestContext, readyz: Checks = {}) {
  const log = new FakeLog()
  const server = new ProbeServer({ port: 0, host: '127.0.0.1', log, readyz })
  await server.start()
  t.after(() => server.stop())
  const get = async (path: string, method = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method })
    return { status: response.status, body: await response.text(), headers: response.headers }
  }
  return { get, log }
}

const waiting: Checks = { caches: () => 'waiting for services', webhook: () => true }
const passing: Checks = { caches: () => true, webhook: () => true }

const cases: [string, Checks, string, number, string][] = [
  ['E19', waiting, '/healthz', 200, 'ok'],
  ['trailing slash', {}, '/healthz/', 200, 'ok'],
  ['verbose', {}, '/healthz?verbose', 200, '[+]healthz ok\nhealthz check passed\n'],
  ['E20', passing, '/readyz?verbose', 200, '[+]readyz ok\nhealthz check passed\n'],
  ['sub-check of its own name', {}, '/healthz/healthz', 200, 'ok'],
  ['sub-check readyz', passing, '/readyz/readyz', 200, 'ok'],
  ['unknown sub-check', {}, '/healthz/other', 404, '404 page not found\n'],
  ['unknown path', {}, '/other', 404, '404 page not found\n'],
  ['prototype name', {}, '/readyz/constructor', 404, '404 page not found\n'],
  [
    'E21 not ready',
    waiting,
    '/readyz',
    500,
    '[-]caches failed: reason withheld\n[-]readyz failed: reason withheld\nhealthz check failed\n',
  ],
  ['failing sub-check', waiting, '/readyz/caches', 500, 'internal server error: reason withheld'],
  ['passing sub-check', waiting, '/readyz/webhook', 200, 'ok'],
  ['excluded', waiting, '/readyz?exclude=caches', 200, 'ok'],
  [
    'excluded, verbose',
    waiting,
    '/readyz?verbose&exclude=caches',
    200,
    '[+]caches excluded: ok\n[+]readyz ok\nhealthz check passed\n',
  ],
  [
    'own check excluded',
    {},
    '/healthz?verbose&exclude=healthz',
    200,
    '[+]healthz excluded: ok\nhealthz check passed\n',
  ],
  [
    'unknown exclusion',
    {},
    '/healthz?verbose&exclude=nope',
    200,
    '[+]healthz ok\nwarn: some health checks cannot be excluded: no matches for "nope"\nhealthz check passed\n',
  ],
]
for (const [name, checks, path, status, body] of cases)
  test(`${name}: ${path}`, async t => {
    const { get } = await open(t, checks)
    const answer = await get(path)
    assert.deepEqual([answer.status, answer.body], [status, body])
    assert.equal(answer.headers.get('content-type'), 'text/plain; charset=utf-8')
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
  })

test('only reading is allowed, HEAD has no body', async t => {
  const { get } = await open(t)
  assert.equal((await get('/healthz', 'POST')).status, 405)
  assert.deepEqual(Object.values(await get('/healthz', 'HEAD')).slice(0, 2), [200, ''])
})

test('why it is not ready is logged once for each change', async t => {
  let problem: true | string = 'waiting for services'
  const { get, log } = await open(t, { caches: () => problem })
  await get('/readyz')
  await get('/readyz')
  problem = true
  await get('/readyz')
  const lines = log.lines.map(({ fields }) => [fields.msg, fields.reason])
  assert.deepEqual(lines, [
    ['not ready', 'caches: waiting for services'],
    ['ready', undefined],
  ])
})
