import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { call } from './bare-client.ts'

const MAIN = new URL('./main.ts', import.meta.url).pathname
const MAPS = '/api/v1/namespaces/default/configmaps'

interface Running {
  readonly child: ChildProcess
  /** Enough of a server for `call`. */
  readonly server: Parameters<typeof call>[0]
}

async function start(t: TestContext, directory: string, ...args: string[]): Promise<Running> {
  const flags = ['--kubeconfig-dir', directory, '--plain-http', ...args]
  const child = spawn(process.execPath, [MAIN, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const ended = once(child, 'exit').then(([code]) =>
    assert.fail(`the server ended with code ${code} before it was ready`),
  )
  const [line] = (await Promise.race([once(createInterface(child.stdout!), 'line'), ended])) as [string]
  ended.catch(() => {})
  const { ready, url } = JSON.parse(line) as { ready: boolean; url: string }
  assert.equal(ready, true)
  return { child, server: { url } as Running['server'] }
}

function directoryFor(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'apiserver-main-'))
  t.after(() => rmSync(directory, { recursive: true }))
  return directory
}

test('writes kubeconfigs that only the owner can read, and loads objects', async t => {
  const directory = directoryFor(t)
  writeFileSync(join(directory, 'tokens.yaml'), '- {token: t, user: "system:serviceaccount:m:speaker"}')
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'loaded' } }
  writeFileSync(join(directory, 'objects.yaml'), `${JSON.stringify(map)}\n---\n`)
  const flags = ['--tokens', join(directory, 'tokens.yaml'), '--load', join(directory, 'objects.yaml')]
  const { server } = await start(t, directory, ...flags)
  const file = join(directory, 'system_serviceaccount_m_speaker.kubeconfig')
  assert.match(readFileSync(file, 'utf8'), /token: t\n/)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.equal((await call(server, 'GET', `${MAPS}/loaded`)).code, 200)
})

test('goes on after SIGTERM and after SIGKILL where the snapshot ended', async t => {
  const directory = directoryFor(t)
  const file = join(directory, 'state.json')
  const flags = ['--snapshot', file, '--snapshot-seconds', '0.05']
  const first = await start(t, directory, ...flags)
  const made = await call(first.server, 'POST', MAPS, { body: { metadata: { name: 'kept' }, data: { a: '1' } } })
  first.child.kill('SIGTERM')
  await once(first.child, 'exit')
  const second = await start(t, directory, ...flags)
  assert.equal((await call(second.server, 'GET', `${MAPS}/kept`)).text, made.text)
  await call(second.server, 'POST', MAPS, { body: { metadata: { name: 'late' } } })
  const written = Date.now() + 10_000
  while (!readFileSync(file, 'utf8').includes('"late"')) {
    assert.ok(Date.now() < written, 'the snapshot was not written within 10 s')
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  second.child.kill('SIGKILL')
  await once(second.child, 'exit')
  const third = await start(t, directory, ...flags)
  assert.equal((await call(third.server, 'GET', `${MAPS}/late`)).code, 200)
  assert.equal(existsSync(`${file}.new`), false)
})

const refusals: [name: string, args: string[], text: RegExp][] = [
  ['an unknown flag', ['--prot', '1'], /Unknown option '--prot'/],
  ['a file that is not there', ['--tokens', '/no/such/file'], /no such file/],
  [
    'a token list that is none',
    ['--tokens', new URL('../../../package.json', import.meta.url).pathname],
    /package.json: expected a list of/,
  ],
  ['a bad service CIDR', ['--service-cidr', '10.0.0.0/40'], /invalid service CIDR "10.0.0.0\/40"/],
]
for (const [name, args, text] of refusals)
  test(`${name} ends with one sentence and code 1`, () => {
    const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', timeout: 20_000 })
    assert.equal(status, 1)
    assert.match(stderr, text)
    assert.match(stderr, /^apiserver: /)
  })
