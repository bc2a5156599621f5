import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import type { KeyPair } from '../../ports/index.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { FakeLog } from '../../testing/fake-log.ts'
import type { Authorize } from './access-review.ts'
import { MetricsServer } from './metrics-server.ts'
import { selfSigned } from './self-signed.ts'
import { parseTlsFlags, type TlsFlags } from './tls-options.ts'

const allow: Authorize = async () => 'ok'

async function open(t: TestContext, given: { flags?: TlsFlags; certDir?: string; authorize?: Authorize } = {}) {
  const clock = new FakeClock(Date.now())
  const log = new FakeLog()
  const server = new MetricsServer({
    clock,
    log,
    port: 0,
    host: '127.0.0.1',
    tls: parseTlsFlags(given.flags ?? {}).options,
    certDir: given.certDir ?? '/nonexistent',
    authorize: given.authorize ?? allow,
    routes: {
      '/metrics': () => ({ body: 'metallb_x 1\n', type: 'text/plain; version=0.0.4' }),
      '/broken': () => {
        throw new Error('broken')
      },
    },
  })
  await server.start()
  t.after(() => server.stop())
  return { server, clock, log }
}

function get(
  port: number,
  path: string,
  token?: string,
): Promise<{ status: number | undefined; body: string; type: string | undefined }> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  return new Promise((resolve, reject) => {
    const outgoing = request({ port, host: '127.0.0.1', path, headers, rejectUnauthorized: false, agent: false })
    outgoing.on('error', reject)
    outgoing.on('response', async response => {
      let body = ''
      for await (const chunk of response) body += chunk
      resolve({ status: response.statusCode, body, type: response.headers['content-type'] })
    })
    outgoing.end()
  })
}

function handshake(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
    socket.once('error', reject)
    socket.once('secureConnect', () => resolve(socket))
  })
}

async function serialNumber(port: number): Promise<string> {
  const socket = await handshake(port)
  const { serialNumber: serial } = socket.getPeerCertificate()
  socket.destroy()
  return serial
}

test('the self-signed certificate is one that OpenSSL verifies, for its names', () => {
  const { cert } = selfSigned(['localhost', '127.0.0.1', '2001:db8::1'], Date.now())
  const parsed = new X509Certificate(cert)
  assert.equal(parsed.subject, 'CN=localhost')
  assert.equal(parsed.subjectAltName, 'DNS:localhost, IP Address:127.0.0.1, IP Address:2001:DB8:0:0:0:0:0:1')
  assert.equal(parsed.verify(parsed.publicKey), true)
  assert.equal(parsed.checkHost('localhost'), 'localhost')
  assert.deepEqual(parsed.keyUsage, ['1.3.6.1.5.5.7.3.1'])
  assert.ok(parsed.validFromDate.getTime() < Date.now() && parsed.validToDate.getTime() > Date.now() + 9 * 31e9)
})

test('a client that trusts the certificate accepts it', async t => {
  const dir = certDir(t, selfSigned(['localhost'], Date.now()))
  const { server } = await open(t, { certDir: dir.path })
  const socket = await handshake(server.port, { ca: dir.pair.cert, servername: 'localhost', rejectUnauthorized: true })
  assert.equal(socket.authorized, true)
  socket.destroy()
})

test('serves what is asked for and nothing else', async t => {
  const { server, log } = await open(t)
  assert.deepEqual(await get(server.port, '/metrics'), {
    status: 200,
    body: 'metallb_x 1\n',
    type: 'text/plain; version=0.0.4',
  })
  assert.equal((await get(server.port, '/metrics/x')).status, 404)
  assert.equal((await get(server.port, '/constructor')).status, 404)
  assert.equal((await get(server.port, '/broken')).status, 500)
  assert.equal(log.lines.at(-1)?.fields.path, '/broken')
})

test('the token, verb and path go to the authoriser, whose refusal is the answer', async t => {
  const asked: unknown[] = []
  const authorize: Authorize = async (...question) => {
    asked.push(question)
    return { status: 403, text: 'Authorization denied for user U' }
  }
  const { server } = await open(t, { authorize })
  const { status, body } = await get(server.port, '/metrics', 'abc')
  assert.deepEqual([status, body], [403, 'Authorization denied for user U'])
  await get(server.port, '/metrics')
  assert.deepEqual(asked, [
    ['abc', 'get', '/metrics'],
    [undefined, 'get', '/metrics'],
  ])
})

test('E15: the suites bind TLS 1.2 clients, TLS 1.3 clients connect; the default takes 1.3 only', async t => {
  const suites = 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384'
  const { server } = await open(t, { flags: { minVersion: 'VersionTLS12', cipherSuites: suites } })
  const tls12 = { maxVersion: 'TLSv1.2' } as const
  await assert.rejects(handshake(server.port, { ...tls12, ciphers: 'ECDHE-ECDSA-AES128-SHA' }))
  for (const options of [{ ...tls12, ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }, { minVersion: 'TLSv1.3' } as const]) {
    const socket = await handshake(server.port, options)
    socket.destroy()
  }
  const { server: strict } = await open(t)
  await assert.rejects(handshake(strict.port, tls12))
})

/** As kubelet lays out a mounted Secret: files are links through `..data`, which is swapped at once. */
function certDir(t: TestContext, pair: KeyPair) {
  const path = mkdtempSync(join(tmpdir(), 'kube-cert-'))
  t.after(() => rmSync(path, { recursive: true }))
  let version = 0
  const swap = (next: Partial<KeyPair>) => {
    const data = `..${++version}`
    mkdirSync(join(path, data))
    if (next.cert !== undefined) writeFileSync(join(path, data, 'tls.crt'), next.cert)
    if (next.key !== undefined) writeFileSync(join(path, data, 'tls.key'), next.key)
    symlinkSync(data, join(path, '..tmp'))
    renameSync(join(path, '..tmp'), join(path, '..data'))
  }
  swap(pair)
  for (const file of ['tls.crt', 'tls.key']) symlinkSync(join('..data', file), join(path, file))
  return { path, pair, swap }
}

test('E18: a swapped certificate is served within 10 s, connections that exist go on', async t => {
  const now = Date.now()
  const dir = certDir(t, selfSigned(['a'], now))
  const { server, clock, log } = await open(t, { certDir: dir.path })
  const old = await handshake(server.port)
  const next = selfSigned(['b'], now)
  dir.swap(next)
  clock.advance(10_000)
  assert.equal(await serialNumber(server.port), new X509Certificate(next.cert).serialNumber)
  old.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n')
  const [chunk] = (await new Promise(resolve => old.once('data', data => resolve([data])))) as [Buffer]
  assert.match(String(chunk), /^HTTP\/1.1 200/)
  old.destroy()
  assert.equal(log.lines.filter(({ fields }) => fields.msg === 'serving certificate reloaded').length, 1)
})

test('a pair that does not fit together is refused aloud, once, and the old one stays', async t => {
  const now = Date.now()
  const dir = certDir(t, selfSigned(['a'], now))
  const { server, clock, log } = await open(t, { certDir: dir.path })
  const before = await serialNumber(server.port)
  dir.swap({ cert: selfSigned(['b'], now).cert, key: selfSigned(['c'], now).key })
  clock.advance(5_000)
  clock.advance(5_000)
  assert.equal(await serialNumber(server.port), before)
  assert.equal(log.lines.filter(({ level }) => level === 'error').length, 1)
})
