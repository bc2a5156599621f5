import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { selfSigned } from '../http/index.ts'
import { systemClock } from '../system/clock.ts'
import { Connection, CredentialsError, loadAccess } from './index.ts'
import { formatJson } from './json.ts'

const pair = selfSigned(['localhost', '127.0.0.1'], Date.now())
const other = selfSigned(['other'], Date.now())
const base64 = (text: string) => Buffer.from(text).toString('base64')

function folder(t: TestContext) {
  const path = mkdtempSync(join(tmpdir(), 'kube-config-'))
  t.after(() => rmSync(path, { recursive: true }))
  const write = (name: string, content: unknown) => {
    const file = join(path, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, typeof content === 'string' ? content : formatJson(content))
    return file
  }
  return { path, write }
}

interface Parts {
  cluster?: Record<string, unknown>
  user?: Record<string, unknown>
  context?: Record<string, unknown>
  root?: Record<string, unknown>
}

function kubeconfig({ cluster = {}, user = {}, context = {}, root = {} }: Parts = {}) {
  return {
    'current-context': 'lab',
    clusters: [{ name: 'c', cluster: { server: 'https://api.test:6443', ...cluster } }],
    users: [{ name: 'u', user: { token: 't', ...user } }],
    contexts: [{ name: 'lab', context: { cluster: 'c', user: 'u', namespace: 'shop', ...context } }],
    ...root,
  }
}

/** Nothing of the machine the test runs on. */
const nowhere = { env: {}, home: '/nonexistent', serviceAccountDir: '/nonexistent' }

test('the order: --kubeconfig, KUBECONFIG, in-cluster, ~/.kube/config', async t => {
  const { path, write } = folder(t)
  const config = (server: string) => kubeconfig({ cluster: { server } })
  const flag = write('flag', config('https://flag'))
  const listed = write('listed', config('https://listed'))
  write('home/.kube/config', config('https://home'))
  write('sa/token', 'sa-token\n')
  write('sa/ca.crt', pair.cert)
  write('sa/namespace', 'lb-system\n')
  const env: Record<string, string> = {
    KUBECONFIG: listed,
    KUBERNETES_SERVICE_HOST: '2001:db8::1',
    KUBERNETES_SERVICE_PORT: '6443',
  }
  const options = { home: join(path, 'home'), serviceAccountDir: join(path, 'sa') }
  assert.equal((await loadAccess({ ...options, env, kubeconfig: flag })).server.host, 'flag')
  assert.equal((await loadAccess({ ...options, env })).server.host, 'listed')
  delete env.KUBECONFIG
  const inCluster = await loadAccess({ ...options, env })
  assert.equal(inCluster.server.href, 'https://[2001:db8::1]:6443/')
  assert.deepEqual([inCluster.namespace, inCluster.tls.ca], ['lb-system', pair.cert.trim()])
  assert.deepEqual(await inCluster.identity(), { token: 'sa-token' })
  assert.equal((await loadAccess({ ...options, env: {} })).server.host, 'home')
  await assert.rejects(loadAccess(nowhere), /^CredentialsError: no Kubernetes credentials: no --kubeconfig/)
})

test('a service account token is read again when the file changes, and kept while it is missing', async t => {
  const { path, write } = folder(t)
  const token = write('token', 'one')
  write('ca.crt', pair.cert)
  const access = await loadAccess({ ...nowhere, env: { KUBERNETES_SERVICE_HOST: 'h' }, serviceAccountDir: path })
  assert.deepEqual(await access.identity(), { token: 'one' })
  write('token', 'second')
  assert.deepEqual(await access.identity(), { token: 'second' })
  rmSync(token)
  assert.deepEqual(await access.identity(), { token: 'second' })
  write('token', '')
  await assert.rejects(access.identity(), /token: the file is empty/)
})

test('KUBECONFIG files are merged: the first to name something wins, missing files are passed over', async t => {
  const { path, write } = folder(t)
  const first = write('first', {
    'current-context': 'lab',
    users: [{ name: 'u', user: { token: 'from first' } }],
  })
  const second = write('deeper/second', {
    ...kubeconfig({ cluster: { 'certificate-authority': 'ca.pem' }, user: { token: 'from second' } }),
    'current-context': 'other',
  })
  write('deeper/ca.pem', pair.cert)
  const access = await loadAccess({ ...nowhere, env: { KUBECONFIG: `${path}/none:${first}::${second}` } })
  assert.deepEqual(await access.identity(), { token: 'from first', headers: undefined })
  assert.equal(access.tls.ca, pair.cert)
  assert.equal(access.source, `kubeconfig ${first}, ${second}, context lab`)
  await assert.rejects(
    loadAccess({ ...nowhere, env: { KUBECONFIG: '/none:/nil' } }),
    /kubeconfig \/none, \/nil: no such file/,
  )
})

const accepted: [string, Parts, object][] = [
  ['token', {}, { token: 't' }],
  [
    'user name and password',
    { user: { token: undefined, username: 'a', password: 'b' } },
    { headers: { authorization: `Basic ${base64('a:b')}` } },
  ],
  [
    'impersonation',
    { user: { as: 'x', 'as-groups': ['g', 'h'] } },
    { headers: { 'Impersonate-User': 'x', 'Impersonate-Group': ['g', 'h'] } },
  ],
  [
    'client certificate',
    { user: { 'client-certificate-data': base64(pair.cert), 'client-key-data': base64(pair.key) } },
    { cert: pair.cert, key: pair.key },
  ],
  ['no user at all', { context: { user: '' } }, { token: undefined }],
]
for (const [name, parts, expected] of accepted)
  test(`identity: ${name}`, async t => {
    const access = await loadAccess({ ...nowhere, kubeconfig: folder(t).write('config', kubeconfig(parts)) })
    const identity = { ...(await access.identity()) }
    for (const [key, value] of Object.entries(expected)) assert.deepEqual(identity[key as keyof typeof identity], value)
  })

const refused: [string, unknown, RegExp][] = [
  ['not YAML', 'a: [', /^kubeconfig FILE: .*flow/i],
  ['not a mapping', '- a', /^kubeconfig FILE: must be a mapping$/],
  [
    'no current context',
    kubeconfig({ root: { 'current-context': '' } }),
    /^kubeconfig FILE: current-context is not set$/,
  ],
  ['unknown context', kubeconfig({ root: { 'current-context': 'x' } }), /^kubeconfig FILE: no context named "x"$/],
  ['clusters that are no list', kubeconfig({ root: { clusters: {} } }), /^kubeconfig FILE: clusters: must be a list$/],
  [
    'a cluster without a name',
    kubeconfig({ root: { clusters: [{}] } }),
    /^kubeconfig FILE: clusters\[0\]: must be a mapping with a name$/,
  ],
  [
    'unknown cluster',
    kubeconfig({ context: { cluster: 'x' } }),
    /^kubeconfig FILE: contexts\[0\]\.context\.cluster: no cluster named "x"$/,
  ],
  [
    'unknown user',
    kubeconfig({ context: { user: 'x' } }),
    /^kubeconfig FILE: contexts\[0\]\.context\.user: no user named "x"$/,
  ],
  [
    'no server',
    kubeconfig({ cluster: { server: '' } }),
    /^kubeconfig FILE: clusters\[0\]\.cluster\.server: is missing$/,
  ],
  [
    'a server that is no URL',
    kubeconfig({ cluster: { server: 'ftp://x' } }),
    /^kubeconfig FILE: clusters\[0\]\.cluster\.server: "ftp:\/\/x" is not an http or https URL$/,
  ],
  [
    'a proxy',
    kubeconfig({ cluster: { 'proxy-url': 'http://p' } }),
    /clusters\[0\]\.cluster\.proxy-url: proxies are not supported$/,
  ],
  [
    'CA data that is not base64',
    kubeconfig({ cluster: { 'certificate-authority-data': '%%%' } }),
    /certificate-authority-data: is not PEM in base64$/,
  ],
  [
    'CA data that is no certificate',
    kubeconfig({ cluster: { 'certificate-authority-data': base64('-----BEGIN X-----') } }),
    /certificate-authority: holds no certificate that can be read$/,
  ],
  [
    'a CA file that is missing',
    kubeconfig({ cluster: { 'certificate-authority': 'none.pem' } }),
    /certificate-authority: ENOENT/,
  ],
  [
    'a CA and no verification',
    kubeconfig({ cluster: { 'certificate-authority-data': base64(pair.cert), 'insecure-skip-tls-verify': true } }),
    /insecure-skip-tls-verify: cannot be combined/,
  ],
  [
    'a flag that is a text',
    kubeconfig({ cluster: { 'insecure-skip-tls-verify': 'yes' } }),
    /insecure-skip-tls-verify: must be true or false$/,
  ],
  ['a token that is a number', kubeconfig({ user: { token: 7 } }), /users\[0\]\.user\.token: must be a string$/],
  [
    'a key without certificate',
    kubeconfig({ user: { 'client-key-data': base64(pair.key) } }),
    /users\[0\]\.user\.client-certificate: is missing/,
  ],
  [
    'a certificate without key',
    kubeconfig({ user: { 'client-certificate-data': base64(pair.cert) } }),
    /users\[0\]\.user\.client-key: is missing/,
  ],
  [
    'a key of another certificate',
    kubeconfig({ user: { 'client-certificate-data': base64(pair.cert), 'client-key-data': base64(other.key) } }),
    /client-certificate: cannot be used with client-key/,
  ],
  [
    'an auth provider',
    kubeconfig({ user: { 'auth-provider': { name: 'gcp' } } }),
    /auth-provider: is not supported, use exec$/,
  ],
  ['exec that is no mapping', kubeconfig({ user: { exec: 'x' } }), /users\[0\]\.user\.exec: must be a mapping$/],
  [
    'exec of an old version',
    kubeconfig({ user: { exec: { apiVersion: 'client.authentication.k8s.io/v1alpha1', command: 'x' } } }),
    /users\[0\]\.user\.exec\.apiVersion: .* is not client/,
  ],
  [
    'exec without a command',
    kubeconfig({ user: { exec: { apiVersion: 'client.authentication.k8s.io/v1' } } }),
    /users\[0\]\.user\.exec\.command: is missing$/,
  ],
]
for (const [name, content, message] of refused)
  test(`refused: ${name}`, async t => {
    const file = folder(t).write('config', content)
    await assert.rejects(loadAccess({ ...nowhere, kubeconfig: file }), (error: Error) => {
      assert.ok(error instanceof CredentialsError)
      assert.match(error.message.replaceAll(file, 'FILE'), message)
      return true
    })
  })

function plugin(t: TestContext, script: string) {
  const { write } = folder(t)
  write('plugin.sh', script)
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: 'sh',
    args: [join(dirname(write('x', '')), 'plugin.sh')],
    env: [{ name: 'EXTRA', value: 'v' }],
    provideClusterInfo: true,
  }
  return loadAccess({ ...nowhere, kubeconfig: write('config', kubeconfig({ user: { token: undefined, exec } })) })
}

test('an exec plugin is run once until its credential ends or is refused', async t => {
  const { path, write } = folder(t)
  const runs = write('runs', '')
  const access = await plugin(
    t,
    `echo x >> ${runs}
     n=$(wc -l < ${runs} | tr -d ' ')
     if [ $n -lt 2 ]; then end=2020-01-01T00:00:00Z; else end=2099-01-01T00:00:00Z; fi
     case "$KUBERNETES_EXEC_INFO" in *https://api.test*) ;; *) exit 3;; esac
     echo '{"kind":"ExecCredential","status":{"token":"'$EXTRA$n'","expirationTimestamp":"'$end'"}}'`,
  )
  assert.ok(path)
  const tokens = await Promise.all([access.identity(), access.identity()])
  assert.deepEqual(
    tokens.map(({ token }) => token),
    ['v1', 'v1'],
    'those who wait share one run',
  )
  assert.equal((await access.identity()).token, 'v2', 'the first credential had ended')
  assert.equal((await access.identity()).token, 'v2')
  assert.equal(access.renew(), true)
  assert.equal((await access.identity()).token, 'v3')
})

const failures: [string, string, RegExp][] = [
  ['exits with an error', 'echo s3cr3t; echo s3cr3t >&2; exit 3', /user\.exec: sh failed: 3$/],
  ['prints no JSON', 'echo s3cr3t', /did not print JSON$/],
  ['prints something else', 'echo \'{"kind":"x"}\'', /did not print an ExecCredential/],
  ['gives nothing', 'echo \'{"kind":"ExecCredential","status":{}}\'', /neither a token nor a certificate/],
]
for (const [name, script, message] of failures)
  test(`an exec plugin that ${name} is a clear error without its output`, async t => {
    const access = await plugin(t, script)
    await assert.rejects(access.identity(), (error: Error) => {
      assert.match(error.message, message)
      assert.doesNotMatch(error.message, /s3cr3t/)
      return true
    })
  })

test('TLS: the server is verified, the client certificate is shown, and a refused server says why', async t => {
  const seen: string[] = []
  const server = createServer(
    { ...pair, requestCert: true, rejectUnauthorized: false, ca: other.cert },
    (request, response) => {
      seen.push((request.socket as TLSSocket).getPeerCertificate().subject?.CN as string)
      response.end('{}')
    },
  )
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => new Promise(resolve => server.close(resolve)))
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const ask = async (cluster: Record<string, unknown>, user: Record<string, unknown> = {}) => {
    const file = folder(t).write('config', kubeconfig({ cluster: { server: url, ...cluster }, user }))
    const connection = new Connection({
      access: await loadAccess({ ...nowhere, kubeconfig: file }),
      clock: systemClock,
    })
    try {
      return (await connection.request({ method: 'GET', path: '/' })).status
    } finally {
      connection.close()
    }
  }
  const ca = { 'certificate-authority-data': base64(pair.cert) }
  const client = { 'client-certificate-data': base64(other.cert), 'client-key-data': base64(other.key) }
  assert.equal(await ask(ca, client), 200)
  assert.equal(await ask({ 'insecure-skip-tls-verify': true }), 200)
  assert.equal(await ask({ ...ca, 'tls-server-name': 'localhost' }), 200)
  await assert.rejects(ask({}), { code: 'NETWORK', message: /^GET \/: self-signed certificate/ })
  await assert.rejects(ask({ ...ca, 'tls-server-name': 'elsewhere' }), { message: /altnames/ })
  assert.deepEqual(seen, ['other', undefined, undefined])
})
