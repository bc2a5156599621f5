import assert from 'node:assert/strict'
import { connect as connectHttp2 } from 'node:http2'
import { Agent, request } from 'node:https'
import { type TestContext, test } from 'node:test'
import type { KeyPair } from '../../ports/index.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { FakeLog } from '../../testing/fake-log.ts'
import { x509Certificates } from '../certificates/index.ts'
import { parseTlsFlags } from './tls-options.ts'
import { WebhookServer, type WebhookServerOptions } from './webhook-server.ts'

const HOST = 'metallb-webhook-service.metallb-system.svc'
const authority = await x509Certificates.createAuthority(Date.now())
const issue = () => x509Certificates.issue(authority, HOST, Date.now())
const first = await issue()

async function open(t: TestContext, given: Partial<WebhookServerOptions> = {}, pair: KeyPair = first) {
  const log = new FakeLog()
  const clock = new FakeClock()
  const server = new WebhookServer({
    ...{ clock, log, port: 0, host: '127.0.0.1', http2: false, tls: parseTlsFlags({}).options },
    handlers: {
      '/echo': async body => ({ status: 200, body: body as object }),
      '/broken': async () => {
        throw new Error('broken')
      },
      '/never': () => new Promise(() => {}),
    },
    ...given,
  })
  await server.start()
  server.use(pair)
  t.after(() => server.stop())
  return { server, log, clock }
}

interface Ask {
  path?: string
  method?: string
  type?: string
  agent?: Agent
  serial?: (serial: string) => void
}

function post(
  port: number,
  body: string,
  { path = '/echo', method = 'POST', type = 'application/json', agent, serial }: Ask = {},
) {
  const options = { host: '127.0.0.1', port, path, method, servername: HOST, ca: authority.cert, agent: agent ?? false }
  return new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
    const asked = request({ ...options, headers: { 'content-type': type } }, async response => {
      const { socket } = response as unknown as { socket: import('node:tls').TLSSocket }
      serial?.(socket.getPeerCertificate().serialNumber)
      let text = ''
      for await (const chunk of response) text += chunk
      resolve({ status: response.statusCode, text })
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

test('answers, and refuses what is no review', async t => {
  const { server, log } = await open(t)
  const { port } = server
  assert.deepEqual(await post(port, '{"a":12345678901234567890}'), { status: 200, text: '{"a":12345678901234567890}' })
  assert.equal((await post(port, 'not json')).status, 400)
  assert.equal((await post(port, '')).status, 400)
  assert.equal((await post(port, `${'['.repeat(1_000_000)}`)).status, 400)
  assert.equal((await post(port, '{}', { path: '/other' })).status, 404)
  assert.equal((await post(port, '{}', { path: '/constructor' })).status, 404)
  assert.equal((await post(port, '{}', { method: 'PUT' })).status, 405)
  assert.equal((await post(port, '{}', { type: 'text/plain' })).status, 415)
  assert.equal((await post(port, '{}', { path: '/broken' })).status, 500)
  assert.equal(log.lines.at(-1)?.level, 'error')
  assert.equal((await post(port, `"${'x'.repeat(7 * 1024 * 1024)}"`)).status, 413)
  assert.equal(server.ready(), true)
})

test('an answer that does not come is given up after ten seconds', async t => {
  const { server, clock } = await open(t)
  const answer = post(server.port, '{}', { path: '/never' })
  while (clock.armed === 0) await new Promise(resolve => setImmediate(resolve))
  clock.advance(10_000)
  assert.equal((await answer).status, 504)
})

test('500 requests during 5 renewals: none is lost, and each certificate is seen', async t => {
  const { server } = await open(t)
  const pairs = await Promise.all([1, 2, 3, 4, 5].map(issue))
  const kept = new Agent({ keepAlive: true, maxSockets: 8 })
  t.after(() => kept.destroy())
  const serials = new Set<string>()
  let done = 0
  const worker = async (agent?: Agent): Promise<void> => {
    while (done < 500) {
      const which = done++
      if (which > 0 && which % 90 === 0) server.use(pairs[which / 90 - 1]!)
      const body = JSON.stringify({ which })
      const { status, text } = await post(server.port, body, { agent, serial: serial => void serials.add(serial) })
      assert.deepEqual([status, text], [200, body])
    }
  }
  await Promise.all([worker(), worker(), worker(), worker(), worker(kept), worker(kept)])
  assert.equal(serials.size, 6)
})

test('requests under way are answered before the server stops', async t => {
  let answer = () => {}
  const slow = () =>
    new Promise<{ status: number; body: object }>(resolve => {
      answer = () => resolve({ status: 200, body: {} })
    })
  const { server } = await open(t, { handlers: { '/echo': slow } })
  const asked = post(server.port, '{}')
  while (answer.toString() === '() => {}') await new Promise(resolve => setImmediate(resolve))
  const stopped = server.stop()
  answer()
  assert.equal((await asked).status, 200)
  await stopped
})

test('HTTP/2 is offered only where it is asked for', async t => {
  for (const http2 of [false, true]) {
    const { server } = await open(t, { http2 })
    const session = connectHttp2(`https://127.0.0.1:${server.port}`, { ca: authority.cert, servername: HOST })
    session.on('error', () => {})
    const opened = await new Promise(resolve => {
      session.once('connect', () => resolve(true))
      session.once('error', () => resolve(false))
    })
    session.destroy()
    assert.equal(opened, http2)
    assert.equal((await post(server.port, '{}')).status, 200)
  }
})

test('a port in use is an error at the start', async t => {
  const { server } = await open(t)
  await assert.rejects(open(t, { port: server.port }), { code: 'EADDRINUSE' })
})
