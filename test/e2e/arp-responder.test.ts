// The layer 2 responder as a process in a network namespace, seen from a client on the same segment.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Mac, parseAddress } from '../../src/core/ip/index.ts'
import { REPLY } from '../../src/protocols/arp/index.ts'
import { ROUNDS_MS } from '../../src/protocols/ethernet/index.ts'
import { backlogDrops } from '../contract/backlog.ts'
import { buildSegment, Client, Node, tearDown, until } from './arp-segment.ts'

const root = process.getuid?.() === 0
if (!root && process.env.CI === 'true') throw new Error('the ARP responder test needs root to make network namespaces')

describe('the ARP responder', { skip: root ? false : 'needs root: network namespaces and packet sockets' }, () => {
  let client: Client
  let a: Node
  let b: Node

  before(async () => {
    buildSegment()
    client = new Client()
    ;[a, b] = await Promise.all([Node.start('a'), Node.start('b')])
  })
  after(tearDown)

  test('a new address is announced in every round and counted, and arping sees the owner and nobody else', async () => {
    client.clear()
    await Promise.all([a.update(['10.77.0.240', 'all']), b.update(['10.77.0.241', 'all'])])
    const output = execFileSync('arping', ['-c', '5', '-W', '0.05', '-i', 'eth0', '10.77.0.240'], { encoding: 'utf8' })
    const macs = [...output.matchAll(/from ([0-9a-f:]{17})/g)].map(([, mac]) => mac)
    assert.deepEqual(macs, Array(5).fill(a.mac()))
    assert.match(output, /5 packets received, +0% unanswered \(0 extra\)/)
    await until('all rounds', () => client.gratuitous('10.77.0.240').length >= 2 * ROUNDS_MS.length)
    assert.deepEqual(client.gratuitous('10.77.0.240'), Array(2 * ROUNDS_MS.length).fill(a.mac()))
    assert.deepEqual(new Set(client.gratuitous('10.77.0.241')), new Set([b.mac()]))
    assert.deepEqual(await counted(a, '10.77.0.240', 2 * ROUNDS_MS.length), {
      requests_received: 5,
      responses_sent: 5,
      gratuitous_sent: 16,
    })
    assert.ok(await a.line(({ fields }) => /sending response/.test(String((fields as { msg?: string })?.msg))))
  })

  /** The counters of the address once as many gratuitous packets are counted. */
  async function counted(node: Node, ip: string, gratuitous: number): Promise<Record<string, number>> {
    const key = (name: string) => `metallb_layer2_${name}{ip="${ip}"}`
    const line = await until(`${gratuitous} packets counted`, () => {
      node.send({ do: 'metrics' })
      const told = node.lines.filter(({ metrics }) => metrics !== undefined).at(-1)?.metrics as Record<string, number>
      return (told?.[key('gratuitous_sent')] ?? 0) >= gratuitous && told
    })
    const names = ['requests_received', 'responses_sent', 'gratuitous_sent']
    return Object.fromEntries(names.map(name => [name, line[key(name)]!]))
  }

  test('ownership moves: the old owner is silent once its update is done', async () => {
    await a.update(['10.77.0.250', 'all'])
    assert.equal(await client.resolve('10.77.0.250'), a.mac())
    await a.update()
    client.clear()
    await b.update(['10.77.0.250', 'all'])
    await until('the new owner speaks up', () => client.gratuitous('10.77.0.250').length >= 2)
    assert.equal(await client.resolve('10.77.0.250'), b.mac())
    assert.ok(!client.answers('10.77.0.250').includes(a.mac()))
    await b.update()
  })

  test('an address for another interface is not answered, one for a new interface is, with its MAC', async () => {
    await a.update(['10.77.0.251', ['eth9']], ['10.77.0.252', 'all'])
    client.clear()
    client.ask('10.77.0.251')
    assert.equal(await client.resolve('10.77.0.252'), a.mac())
    assert.deepEqual(client.answers('10.77.0.251'), [])
    a.addInterface('eth9')
    assert.equal(await client.resolve('10.77.0.251'), a.mac('eth9'))
    await a.line(({ interfaces }) => (interfaces as string[])?.includes('eth9')) // the main thread hears of it too
    a.setLink('eth9', 'down')
  })

  test('a link that went down and comes up, or changes its MAC, answers and announces as it is now', async () => {
    await a.update(['10.77.0.240', 'all'])
    const from = a.lines.length
    a.setLink('eth0', 'down')
    await a.logged('deleteARPResponder', from)
    client.clear()
    a.setLink('eth0', 'up')
    await a.logged('createARPResponder', from)
    await until('an announcement', () => client.gratuitous('10.77.0.240').includes(a.mac()))
    assert.equal(await client.resolve('10.77.0.240'), a.mac())

    const mac = '02:42:0a:4d:00:99' as Mac
    a.setLink('eth0', 'address', mac)
    await until('an announcement', () => client.gratuitous('10.77.0.240').includes(mac))
    assert.equal(await client.resolve('10.77.0.240'), mac)
  })

  test('a port of a bridge is left alone until it leaves it', async () => {
    await b.update(['10.77.0.253', 'all'])
    const from = b.lines.length
    execFileSync('ip', ['-n', b.namespace, 'link', 'add', 'br0', 'type', 'bridge'])
    b.setLink('eth0', 'master', 'br0')
    await b.logged('deleteARPResponder', from)
    b.setLink('eth0', 'nomaster')
    assert.equal(await client.resolve('10.77.0.253'), b.mac())
  })

  test('answers come while the main thread is blocked', async () => {
    await a.update(['10.77.0.240', 'all'])
    await client.resolve('10.77.0.240')
    const from = a.lines.length
    a.send({ do: 'block', ms: 1000 })
    await a.line(({ blocking }) => blocking === true, from)
    for (let count = 0; count < 20; count++) await client.resolve('10.77.0.240')
    assert.ok(!a.lines.slice(from).some(({ blocking }) => blocking === false), 'still blocked after twenty answers')
    await a.line(({ blocking }) => blocking === false, from)
  })

  test('10,000 requests that come while the responder does not run are all answered', async () => {
    await a.update(['10.77.0.240', 'all'])
    await client.resolve('10.77.0.240')
    const { pid } = a.child
    const threads = () =>
      readdirSync(`/proc/${pid}/task`).map(id => readFileSync(`/proc/${pid}/task/${id}/stat`, 'utf8'))
    a.child.kill('SIGSTOP')
    await until('every thread has stopped', () => threads().every(line => line.split(') ')[1]?.startsWith('T')))
    client.clear()
    const before = backlogDrops()
    for (let asked = 0; asked < 10_000; asked++) client.ask('10.77.0.240')
    a.child.kill('SIGCONT')
    await until('all answers', () => client.answers('10.77.0.240').length + backlogDrops() - before >= 10_000)
  })

  test('another host that claims an address is told of, and how often within a second', async () => {
    const senderIp = parseAddress('10.77.0.240')!
    const senderMac = '02:00:00:00:00:66' as Mac
    const targetMac = 'ff:ff:ff:ff:ff:ff' as Mac
    const say = () => client.say({ operation: REPLY, senderMac, senderIp, targetMac, targetIp: senderIp })
    const told = () => a.lines.flatMap(({ claim }) => claim ?? []) as { count: number }[]
    for (let said = 0; said < 10; said++) say()
    const { claim } = await a.line(line => line.claim !== undefined)
    assert.deepEqual(claim, { ip: '10.77.0.240', mac: senderMac, interface: 'eth0', count: 1 })
    let more = 0
    await until('the claims of the next second', () => {
      if (told().length === 1) say()
      more++
      return told()[1]
    })
    assert.ok(told()[1]!.count > 9 && told()[1]!.count <= 9 + more, `${told()[1]!.count} of ${9 + more}`)
  })

  test('requests for addresses of nobody are counted by interface and reason', async () => {
    const key = 'metallb_layer2_requests_ignored_total{interface="eth0",reason="announceIP"}'
    const count = async () => {
      const from = a.lines.length
      a.send({ do: 'metrics' })
      return ((await a.line(line => line.metrics !== undefined, from)).metrics as Record<string, number>)[key] ?? 0
    }
    const before = await count()
    for (let asked = 0; asked < 7; asked++) client.ask('10.77.0.199')
    for (let now = before; now < before + 7; now = await count());
  })

  test('a worker that dies is started again with the table it had', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'dying-worker-'))
    for (const name of ['1', '2']) writeFileSync(join(directory, name), '')
    const worker = new URL('./dying-worker.ts', import.meta.url)
    const node = await Node.start('c', { worker, env: { DYING_WORKER: directory } })
    const died = node.lines.filter(({ fields }) => /died, restarting/.test(String((fields as { msg?: string })?.msg)))
    assert.equal(died.length, 2)
    await node.update(['10.77.0.230', 'all'])
    assert.equal(await client.resolve('10.77.0.230'), node.mac())
    node.child.kill('SIGKILL')
    rmSync(directory, { recursive: true })
  })

  test('NET_RAW is the only capability it needs', async () => {
    const only = ['--inh-caps', '+net_raw', '--ambient-caps', '+net_raw', '--bounding-set', '-all,+net_raw']
    const nobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', ...only]
    const node = await Node.start('d', { wrapper: nobody })
    await node.update(['10.77.0.231', 'all'])
    assert.equal(await client.resolve('10.77.0.231'), node.mac())
    const from = node.lines.length
    node.send({ do: 'stop' })
    const { stopped } = await node.line(line => line.stopped !== undefined, from)
    assert.ok((stopped as Record<string, number>)['metallb_layer2_responses_sent{ip="10.77.0.231"}']! > 0)
    client.clear()
    client.ask('10.77.0.231')
    await client.resolve('10.77.0.240')
    assert.deepEqual(client.answers('10.77.0.231'), [], 'after stopping it is silent')
    if (node.child.exitCode === null) await once(node.child, 'exit')
    assert.equal(node.child.exitCode, 0)
  })

  for (const [how, code] of [
    ['exit', 0],
    ['throw', 1],
  ] as const)
    test(`the process ends though its worker waits for packets: ${how}`, { timeout: 60_000 }, async () => {
      const node = await Node.start(how)
      node.send({ do: how })
      const [exitCode] = await once(node.child, 'exit')
      assert.equal(exitCode, code)
    })
})
