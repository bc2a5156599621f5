// Interfaces that lie on others: VLANs, bonds, bridges, macvlans. Who answers for an address, with which MAC, how often,
// and what the interfaces that an advertisement names choose (chapter 03 section 2.2). What the kernel lacks is skipped; all
// of it passes under `node tools/uml.ts test/e2e/stacked-interfaces.test.ts`, Linux 6.1.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, before, describe, type TestContext, test } from 'node:test'
import type { Mac } from '../../src/core/ip/index.ts'
import { BRIDGE, buildSegment, Client, ip, Node, tearDown, until } from './arp-segment.ts'

const ALL = '10.77.0.240'
/** Announced on the lower interface alone, and on the one that lies on it alone. */
const LOWER = '10.77.0.241'
const UPPER = '10.77.0.242'
/** Announced on all, and asked for to know that the others were read. */
const MARKS = ['10.77.0.243', '10.77.0.244', '10.77.0.245'] as const
const root = process.getuid?.() === 0
if (!root && process.env.CI === 'true') throw new Error('the stacked interfaces test needs root to make namespaces')

describe('interfaces on interfaces', { skip: root ? false : 'needs root: network namespaces, packet sockets' }, () => {
  let client: Client
  let node: Node

  before(async () => {
    buildSegment()
    client = new Client()
    node = await Node.start('a')
  })
  after(tearDown)

  const inNode = (...words: string[]) => ip('-n', node.namespace, ...words)

  /** Gives the node a link for the time of the test. False, and the test is skipped, where the kernel has none of the kind. */
  function adds(t: TestContext, name: string, kind: string, ...of: string[]): boolean {
    const words = ['-n', node.namespace, 'link', 'add', ...of, 'name', name, 'type', ...kind.split(' ')]
    try {
      execFileSync('ip', words, { stdio: 'pipe' })
    } catch (error) {
      if (!/Unknown device type|not supported/.test(String(error))) throw error
      t.skip(`the kernel lacks devices of type ${kind.split(' ')[0]}`)
      return false
    }
    t.after(() => inNode('link del', name))
    return true
  }

  const announce = (lower: string, upper: string) =>
    node.update(
      [ALL, 'all'],
      [LOWER, [lower]],
      [UPPER, [upper]],
      ...MARKS.map((mark): [string, 'all'] => [mark, 'all']),
    )

  /** The responder of the interface was opened or closed. */
  const responder = (what: 'create' | 'delete', name: string, from: number) =>
    node.line(({ fields }) => {
      const { event, interface: of } = (fields ?? {}) as { event?: string; interface?: string }
      return event === `${what}ARPResponder` && of === name
    }, from)

  /** All that is said to one request for each address; the responders are those that answer for all of them. */
  async function answers(
    responders: readonly Mac[],
    asking = client,
  ): Promise<Record<'all' | 'lower' | 'upper', Mac[]>> {
    const [ready, behind, last] = MARKS
    const all = (mark: string) => () => responders.every(mac => asking.answers(mark).includes(mac))
    asking.clear()
    await until('the responders', () => {
      asking.ask(ready)
      return all(ready)()
    })
    for (const address of [ALL, LOWER, UPPER, behind]) asking.ask(address)
    await until('answers to what was asked last', all(behind))
    asking.ask(last) // whoever answers needlessly and late has read the others before this one
    await until('answers to what was asked after that', all(last))
    const of = (address: string) => asking.answers(address).sort()
    return { all: of(ALL), lower: of(LOWER), upper: of(UPPER) }
  }

  test('a VLAN that has no device: its requests reach the parent and are not answered; a priority tag is no VLAN', async () => {
    await announce('eth0', 'none')
    client.clear()
    for (const vlan of [5, 0]) client.ask(vlan === 0 ? LOWER : ALL, vlan)
    await client.resolveMore(MARKS[0])
    assert.deepEqual([client.answers(ALL), client.answers(LOWER)], [[], [node.mac()]])
    assert.deepEqual(await answers([node.mac()]), { all: [node.mac()], lower: [node.mac()], upper: [] })
  })

  test('a VLAN with a device: each answers its own requests, once, and with its own tag', async t => {
    const from = node.lines.length
    if (!adds(t, 'eth0.5', 'vlan id 5', 'link', 'eth0')) return
    inNode('link set eth0.5 address 02:00:00:00:05:01 up')
    await responder('create', 'eth0.5', from)
    ip('link add link eth0 name eth0.5 type vlan id 5')
    ip('link set eth0.5 up')
    const tagged = new Client('eth0.5')
    t.after(() => tagged.close())
    await announce('eth0', 'eth0.5')
    const [lower, upper] = [node.mac(), node.mac('eth0.5')]
    assert.deepEqual(await answers([lower]), { all: [lower], lower: [lower], upper: [] })
    assert.deepEqual(await answers([upper], tagged), { all: [upper], lower: [], upper: [upper] })
  })

  test('a bond answers once, whatever its members hear, and goes on with the one that is left', async t => {
    const from = node.lines.length
    if (!adds(t, 'bond0', 'bond mode active-backup miimon 20')) return
    node.addInterface('eth1')
    t.after(() => inNode('link del eth1'))
    for (const member of ['eth0', 'eth1']) {
      inNode('link set', member, 'down')
      inNode('link set', member, 'master bond0')
    }
    t.after(() => inNode('link set eth0 up'))
    inNode('link set bond0 up')
    await responder('create', 'bond0', from)
    await responder('delete', 'eth0', from)
    await announce('eth0', 'bond0')
    const bond = node.mac('bond0')
    assert.deepEqual(await answers([bond]), { all: [bond], lower: [], upper: [bond] })
    ip('-n', BRIDGE, 'link set port-a down')
    t.after(() => ip('-n', BRIDGE, 'link set port-a up'))
    assert.deepEqual(await answers([bond]), { all: [bond], lower: [], upper: [bond] })
  })

  test('a bridge answers once, with its own MAC, and its ports do not', async t => {
    const from = node.lines.length
    adds(t, 'br0', 'bridge')
    inNode('link set br0 address 02:00:00:00:0b:01 up')
    inNode('link set eth0 master br0')
    await responder('create', 'br0', from)
    await responder('delete', 'eth0', from)
    await announce('eth0', 'br0')
    const bridge = node.mac('br0')
    assert.deepEqual(await answers([bridge]), { all: [bridge], lower: [], upper: [bridge] })
    inNode('link set eth0 nomaster')
    const port = node.mac()
    assert.deepEqual(await answers([port]), { all: [port], lower: [port], upper: [] })
  })

  test('a macvlan is on the segment of its parent: both answer for all interfaces, and the one that is named', async t => {
    const from = node.lines.length
    if (!adds(t, 'mv0', 'macvlan mode bridge', 'link', 'eth0')) return
    inNode('link set mv0 up')
    await responder('create', 'mv0', from)
    await announce('eth0', 'mv0')
    const [lower, upper] = [node.mac(), node.mac('mv0')]
    assert.deepEqual(await answers([lower, upper]), { all: [lower, upper].sort(), lower: [lower], upper: [upper] })
  })
})
