/** Three speakers' memberships on one loopback: what a blocked main thread, a killed process and a flood do to the others. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { waitFor } from '../../src/apps/lab/index.ts'
import { whyNoLab } from './harness.ts'
import type { Command } from './heartbeat-node.ts'

const NAMESPACE = `hbtest${process.pid}`
const ADDRESSES: Readonly<Record<string, string>> = { a: '127.0.7.1', b: '127.0.7.2', c: '127.0.7.3' }
const PROGRAM = fileURLToPath(new URL('./heartbeat-node.ts', import.meta.url))

interface Line {
  readonly event?: string
  readonly standing?: string
  readonly blocking?: boolean
  readonly members?: string[]
  readonly interfaces?: string[]
  readonly direct?: string[]
  readonly metrics?: Readonly<Record<string, number>>
}

class Node {
  readonly lines: Line[] = []
  readonly child: ChildProcess

  constructor(name: string, flags: readonly string[]) {
    const peers = Object.keys(ADDRESSES).flatMap(other => (other === name ? [] : [ADDRESSES[other]!]))
    const words = ['netns', 'exec', NAMESPACE, process.execPath, ...flags, PROGRAM, name, ADDRESSES[name]!, ...peers]
    this.child = spawn('ip', words, { stdio: ['pipe', 'pipe', 'inherit'] })
    createInterface({ input: this.child.stdout! }).on('line', line => this.lines.push(JSON.parse(line) as Line))
  }

  send(command: Command): void {
    this.child.stdin!.write(`${JSON.stringify(command)}\n`)
  }

  async ask(what: 'members' | 'metrics'): Promise<Line> {
    const from = this.lines.length
    this.send({ do: what })
    return await waitFor(() => this.lines.slice(from).find(line => line[what] !== undefined), what)
  }

  events(from = 0): string[] {
    return this.lines.slice(from).flatMap(({ event }) => event ?? [])
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    this.child.kill('SIGKILL')
    await once(this.child, 'exit')
  }
}

describe('heartbeats between processes', { skip: whyNoLab() ?? false, timeout: 300_000 }, () => {
  const nodes: Node[] = []
  after(async () => {
    await Promise.all(nodes.map(node => node.kill()))
    execFileSync('ip', ['netns', 'del', NAMESPACE])
  })
  execFileSync('ip', ['netns', 'add', NAMESPACE])
  execFileSync('ip', ['-n', NAMESPACE, 'link', 'set', 'lo', 'up'])
  const start = (name: string, ...flags: string[]) => {
    const node = new Node(name, flags)
    nodes.push(node)
    return node
  }
  const all = async (members: string, ...some: Node[]) => {
    for (const node of some)
      await waitFor(async () => (await node.ask('members')).members!.join('') === members, `members ${members}`)
  }
  let [a, b, c] = [] as Node[] as [Node, Node, Node]

  test('three find one another', async () => {
    a = start('a')
    b = start('b')
    c = start('c')
    await all('abc', a, b, c)
    await waitFor(async () => (await a.ask('members')).direct!.join() === 'b alive,c alive', 'heartbeats of both')
  })

  for (const ms of [200, 2000, 6000])
    test(`a main thread that is blocked for ${ms} ms is no reason to take over`, async () => {
      const from = [a, b].map(({ lines }) => lines.length)
      const blocked = c.lines.length
      c.send({ do: 'block', ms })
      await waitFor(() => c.lines.slice(blocked).some(line => line.blocking === false), 'its end')
      await all('abc', a, b, c)
      const seen = [a, b].flatMap((node, place) => node.events(from[place]))
      assert.deepEqual(
        seen.filter(event => event.startsWith('NodeLeave')),
        [],
      )
    })

  test('IMP-25 what one publishes the others know at once', async () => {
    c.send({ do: 'publish', interfaces: ['eth1', 'eth0'] })
    await waitFor(async () => (await a.ask('members')).interfaces!.join() === 'c eth0 eth1', 'the interfaces of c')
    await waitFor(() => a.events().includes('NodeUpdate c'), 'the event')
  })

  test('keys change while they run, and whoever has another one is not believed', async () => {
    for (const node of [a, b, c]) node.send({ do: 'key', secrets: ['another', 'a secret of the tests'] })
    for (const node of [a, b, c]) node.send({ do: 'key', secrets: ['another'] })
    await all('abc', a, b, c)
    await waitFor(async () => (await a.ask('members')).direct!.join() === 'b alive,c alive', 'both to be believed')
    c.send({ do: 'key', secrets: ['a third'] })
    await waitFor(async () => (await a.ask('members')).direct!.includes('c dead'), 'silence of c')
    const { metrics } = await a.ask('metrics')
    assert.ok(metrics!['metallb_heartbeat_packets_refused_total{reason="badHmac"}']! > 0)
    c.send({ do: 'key', secrets: ['another'] })
    await all('abc', a, b)
    await waitFor(async () => (await a.ask('members')).direct!.includes('c alive'), 'c again')
  })

  test('IMP-22 a flood from one address is counted, and starves nobody', async () => {
    const from = [a, b].map(({ lines }) => lines.length)
    const flood = spawn('ip', ['netns', 'exec', NAMESPACE, process.execPath, '--input-type=module', '-e', FLOOD])
    await once(flood, 'exit')
    await waitFor(async () => {
      const { metrics } = await a.ask('metrics')
      return (metrics!['metallb_heartbeat_packets_refused_total{reason="rateLimited"}'] ?? 0) > 1000
    }, 'a thousand packets that were too much')
    const seen = [a, b].flatMap((node, place) => node.events(from[place]))
    assert.deepEqual(
      seen.filter(event => event.startsWith('NodeLeave')),
      [],
    )
  })

  test('a killed process is noticed by both, and one that stops at once', async () => {
    const from = [a, b].map(({ lines }) => lines.length)
    await c.kill()
    const left = (node: Node, place: number) =>
      node.lines.slice(from[place]).find(({ event }) => event === 'NodeLeave c')
    await waitFor(() => [a, b].every(left), 'both to notice')
    const standings = [a, b].map((node, place) => left(node, place)?.standing)
    assert.deepEqual(standings, ['silent', 'silent'], 'by heartbeats: memberlist, which needs longer, still lists it')
    const before = a.lines.length
    b.send({ do: 'stop' })
    await waitFor(() => a.events(before).includes('NodeLeave b'), 'the leave')
  })

  test('a main thread that is wedged ends its process, unless it can be debugged', async () => {
    await all('a', a) // the former c, whose death has no second witness since b left, is gone for memberlist too
    b = start('b', '--inspect=127.0.0.1:0')
    c = start('c')
    await all('abc', a, b, c)
    const before = a.lines.length
    b.send({ do: 'block', ms: 15_000 })
    c.send({ do: 'block', ms: 60_000 })
    const [, signal] = await once(c.child, 'exit')
    assert.equal(signal, 'SIGKILL')
    await waitFor(() => a.events(before).includes('NodeLeave c'), 'the leave')
    await waitFor(() => b.lines.some(line => line.blocking === false), 'the other one to go on')
  })
})

/** As fast as it can, 50,000 heartbeats of nobody from an address of nobody. */
const FLOOD = `
  import { createSocket } from 'node:dgram'
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.7.66')
  const packet = Buffer.concat([Buffer.from('MLHB'), Buffer.alloc(100, 3)])
  let sent = 0
  const more = () => {
    for (const end = sent + 50; sent < end; sent++) socket.send(packet, 7947, '127.0.7.1')
    if (sent < 50_000) setImmediate(more)
    else socket.close()
  }
  more()`
