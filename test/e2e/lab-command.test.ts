/** `metallbctl lab` and `metallbctl demo` as people run them: output, exit codes, nothing left. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { labDirectory, type Output, readState, run, tearDown, waitFor } from '../../src/apps/lab/index.ts'
import { whyNoLab } from './harness.ts'

const skip = whyNoLab() ?? false
const METALLBCTL = fileURLToPath(new URL('../../bin/metallbctl.js', import.meta.url))
const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']

const ctl = (args: readonly string[], env = {}): Promise<Output> =>
  run([process.execPath, METALLBCTL, ...args], { env, timeoutMs: 120_000 })

const lab = (verb: string, ...args: string[]) => ctl(['lab', verb, '--name', 'labcmd', ...args])

describe('metallbctl lab', { skip }, () => {
  afterEach(() => tearDown('labcmd'))

  test('up leaves a cluster running that the other verbs find, until down', async () => {
    const up = await lab('up', '--bare', '--nodes', '2')
    assert.equal(up.code, 0, up.stderr)
    assert.match(up.stdout, /node2 +192\.168\.10\.12 +02:00:00:00:00:12/)
    const { stdout } = await lab('exec', 'client', 'ip', '-br', 'addr', 'show', 'eth0')
    assert.match(stdout, /192\.168\.10\.2\/24/)
    const nodes = await lab('exec', 'control', 'kubectl', 'get', 'nodes', '-o', 'name')
    assert.equal(nodes.stdout, 'node/node1\nnode/node2\n')
    assert.equal((await lab('kill', 'node2')).code, 0)
    assert.match((await lab('status')).stdout, /node2 .* killed$/m)
    assert.equal((await lab('heal')).code, 0)
    assert.match((await lab('status')).stdout, /node2 .* ok$/m)
    assert.equal((await lab('down')).code, 0)
    assert.equal(await leftOf('labcmd'), '')
  })

  test('mistakes get one clear sentence and an exit code', async () => {
    assert.equal((await lab('up', '--bare', '--nodes', '1')).code, 0)
    const cases: [string[], number, RegExp][] = [
      [['up'], 1, /^metallbctl lab: lab 'labcmd' is running already \(pid \d+\)\n$/],
      [['kill', 'node7'], 1, /^metallbctl lab: no node 'node7': the lab has node1\n$/],
      [['cut', 'moon'], 1, /^metallbctl lab: no machine 'moon': there are router, client, node1\n$/],
      [['loss', 'node1', '101'], 3, /^usage: metallbctl lab loss MACHINE PERCENT\n$/],
      [['exec', 'moon', 'true'], 1, /^metallbctl lab: lab 'labcmd' has no machine 'moon'\n$/],
      [['exec'], 3, /^usage: metallbctl lab VERB/],
      [['dance'], 3, /^usage: metallbctl lab VERB/],
      [['up', '--nodes', 'many'], 3, /^metallbctl lab: --nodes: 'many' is no number\n$/],
      [['up', '--wings'], 3, /^metallbctl lab: Unknown option '--wings'/],
    ]
    for (const [[verb = '', ...args], code, words] of cases) {
      const output = await lab(verb, ...args)
      assert.match(output.stderr, words)
      assert.equal(output.code, code, `${verb} ${args.join(' ')}`)
    }
    assert.equal((await lab('down')).code, 0)
    const gone = await lab('status')
    assert.match(
      gone.stderr,
      /^metallbctl lab: no lab 'labcmd' runs here: 'metallbctl lab up --name labcmd' starts one\n$/,
    )
    assert.equal(gone.code, 1)
  })

  test('down cleans up after a crash of the supervisor, and may be repeated', async () => {
    assert.equal((await lab('up', '--bare', '--nodes', '1')).code, 0)
    process.kill(readState(labDirectory('labcmd'))!.supervisor.pid, 'SIGKILL')
    assert.notEqual(await leftOf('labcmd'), '')
    for (let i = 0; i < 2; i++) assert.equal((await lab('down')).code, 0)
    assert.equal(await leftOf('labcmd'), '')
  })

  test('without root it runs in a user namespace, or says what is missing', async t => {
    const asNobody = (...args: string[]) =>
      run([...NOBODY, process.execPath, METALLBCTL, 'lab', ...args, '--name', 'labnobody'], { timeoutMs: 60_000 })
    if ((await run([...NOBODY, 'test', '-r', METALLBCTL])).code !== 0)
      return t.skip('nobody may not read this checkout')
    const up = await asNobody('up', '--bare', '--nodes', '1')
    if ((await run([...NOBODY, 'unshare', '--user', '--map-root-user', '--net', '--mount', 'true'])).code !== 0) {
      assert.match(
        up.stderr,
        /^metallbctl lab: the lab needs root, or a kernel that allows unprivileged user namespaces/,
      )
      return
    }
    assert.equal(up.code, 0, up.stderr)
    assert.match((await asNobody('status')).stdout, /node1 .* ok$/m)
    assert.equal((await asNobody('down')).code, 0)
  })
})

describe('metallbctl demo', { skip }, () => {
  afterEach(() => tearDown('demo'))

  test('shows the whole story with kubectl and leaves nothing', async () => {
    const { code, stdout, stderr } = await ctl(['demo'])
    assert.equal(code, 0, stdout + stderr)
    for (const words of [
      /kubectl apply -f -/,
      /service\/web created/,
      /has the address 192\.168\.10\.200/,
      /pod=web-3 node=node3 client=/,
      /02:00:00:00:00:1\d is node\d, and nobody else answered/,
      /\+0 ms {2}node\d is killed/,
      /outage +\d+ ms/,
      /no process, no namespace, no file is left/,
    ])
      assert.match(stdout, words)
    assert.equal(await leftOf('demo'), '')
  })

  test('uses its own client where there is no kubectl', async t => {
    const { code, stdout, stderr } = await ctl(['demo', '--nodes', '2'], { PATH: pathWithout(t, 'kubectl') })
    assert.equal(code, 0, stdout + stderr)
    assert.match(stdout, /no kubectl here: our own client applies/)
  })

  test('says which program is missing', async t => {
    const { code, stderr } = await ctl(['demo'], { PATH: pathWithout(t, 'kubectl', 'arping') })
    assert.equal(code, 1)
    assert.equal(stderr, 'failed: the lab needs arping: install the Debian packages arping\n')
  })

  test('a signal ends it without leftovers', async () => {
    const demo = spawn(process.execPath, [METALLBCTL, 'demo'], { stdio: 'ignore' })
    const ended = once(demo, 'exit')
    await waitFor(() => readState(labDirectory('demo'))?.processes.some(({ name }) => name === 'controller'), 'a start')
    demo.kill('SIGINT')
    assert.deepEqual(await ended, [130, null])
    assert.equal(await leftOf('demo'), '')
  })
})

/** Namespaces that a lab of this name has left. */
async function leftOf(name: string): Promise<string> {
  const { stdout } = await run(['ip', 'netns', 'list'])
  return stdout
    .split('\n')
    .filter(line => line.startsWith(`metallb-${name}.`))
    .join()
}

/** A PATH with the programs a lab needs, less some. */
function pathWithout(t: { after(clean: () => void): void }, ...without: string[]): string {
  const dir = mkdtempSync(join(tmpdir(), 'metallb-path-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const wanted = ['ip', 'nft', 'nsenter', 'setpriv', 'unshare', 'arping', 'kubectl', 'sh', 'true', 'node']
  for (const tool of wanted.filter(name => !without.includes(name))) {
    const found = (process.env.PATH ?? '').split(':').find(path => existsSync(join(path, tool)))
    if (found !== undefined) symlinkSync(join(found, tool), join(dir, tool))
  }
  return dir
}
