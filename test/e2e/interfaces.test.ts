// Interfaces that change under the layer 2 responder, seen from a client on the same segment. How soon it follows is
// measured by bench/interfaces.ts.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Mac } from '../../src/core/ip/index.ts'
import { ROUNDS_MS } from '../../src/protocols/ethernet/index.ts'
import type { TestLink } from './arp-node.ts'
import { BRIDGE, buildSegment, Client, ip, Node, tearDown, until } from './arp-segment.ts'
import { NdpClient } from './ndp-client.ts'

const IPV4 = '10.77.0.240'
const IPV6 = '2001:db8::f'
/** Announced on the interface `lan` alone, which is there after a renaming only. */
const IPV4_OF_LAN = '10.77.0.241'
const IPV6_OF_LAN = '2001:db8::a1'
const TABLE: [ip: string, interfaces: 'all' | string[]][] = [
  [IPV4, 'all'],
  [IPV6, 'all'],
  [IPV4_OF_LAN, ['lan']],
  [IPV6_OF_LAN, ['lan']],
]
/** Announced when the others are. */
const LAST = '10.77.0.242'
const root = process.getuid?.() === 0
if (!root && process.env.CI === 'true') throw new Error('the interfaces test needs root to make network namespaces')

describe('interfaces that change', { skip: root ? false : 'needs root: network namespaces and packet sockets' }, () => {
  let client: Client
  let ndp: NdpClient
  let node: Node

  before(async () => {
    buildSegment()
    client = new Client()
    node = await Node.start('a')
    ndp = await NdpClient.open()
    await node.update(...TABLE)
    await ndp.resolve(IPV6)
  })
  after(async () => {
    ndp?.close()
    await tearDown()
  })

  /** The main thread knows the interface as wanted. */
  const known = (name: string, wanted: (link: TestLink) => boolean, from: number) =>
    node.line(({ links = [] }) => (links as TestLink[]).some(link => link.name === name && wanted(link)), from)

  /** Both protocols tell everybody, and answer, with the MAC. */
  async function speaksWith(mac: Mac, ipv4 = IPV4, ipv6 = IPV6): Promise<void> {
    await until(`ARP announces ${mac}`, () => client.gratuitous(ipv4).includes(mac))
    await until(`NDP announces ${mac}`, () => ndp.advertised(ipv6).some(said => !said.solicited && said.mac === mac))
    assert.equal(await client.resolve(ipv4), mac)
    assert.equal((await ndp.resolve(ipv6)).mac, mac)
  }

  /** Before Linux 6.2 only interfaces that are down could be renamed. */
  function rename(from: string, to: string): void {
    try {
      node.setLink(from, 'name', to)
    } catch {
      for (const words of [`${from} down`, `${from} name ${to}`, `${to} up`]) node.setLink(words)
    }
  }

  function forgetHeard(): number {
    client.clear()
    ndp.clear()
    return node.lines.length
  }

  test('link: one that is set down has no responders, and set up it announces and answers anew', async () => {
    const from = forgetHeard()
    node.setLink('eth0 down')
    await known('eth0', ({ up }) => !up, from)
    for (const protocol of ['ARP', 'NDP']) await node.logged(`delete${protocol}Responder`, from)
    forgetHeard()
    node.setLink('eth0 up')
    await speaksWith(node.mac())
  })

  test('carrier: one that lost it is known to have none, and with it again announces anew', async () => {
    await node.update(...TABLE, [LAST, 'all'])
    for (const rounds of [1, ROUNDS_MS.length]) // all of them, so that those of the others are over too
      await until(`round ${rounds} of ${LAST}`, () => client.gratuitous(LAST).length >= 2 * rounds)
    const from = forgetHeard()
    ip('-n', BRIDGE, 'link set port-a down')
    await known('eth0', ({ up, carrier }) => up && !carrier, from)
    forgetHeard()
    ip('-n', BRIDGE, 'link set port-a up')
    await known('eth0', ({ carrier }) => carrier, from)
    await speaksWith(node.mac())
    const deleted = node.lines
      .slice(from)
      .filter(({ fields }) => (fields as { event?: string })?.event?.match(/delete/))
    assert.deepEqual(deleted, [], 'the responders are the same')
  })

  test('MAC: the new one is announced and answered', async () => {
    forgetHeard()
    const mac = '02:42:0a:4d:00:99' as Mac
    node.setLink('eth0 address', mac)
    await speaksWith(mac)
  })

  test('name: addresses of the new name are announced and answered, and under the former one no longer', async () => {
    const from = forgetHeard()
    rename('eth0', 'lan')
    await known('lan', () => true, from)
    await speaksWith(node.mac('lan'), IPV4_OF_LAN, IPV6_OF_LAN)
    const back = node.lines.length
    rename('lan', 'eth0')
    await known('eth0', () => true, back)
    forgetHeard()
    await until('answers for what is announced on all interfaces', () => {
      for (const address of [IPV4_OF_LAN, IPV4]) client.ask(address)
      for (const address of [IPV6_OF_LAN, IPV6]) ndp.ask(address)
      return client.answers(IPV4).length > 0 && ndp.advertised(IPV6).length > 0
    })
    assert.deepEqual([...client.answers(IPV4_OF_LAN), ...ndp.advertised(IPV6_OF_LAN)], [])
  })

  test('addresses: NDP needs a link-local one, speaks from it, and from the next when it goes', async () => {
    const address = (...words: string[]) => ip('-n', node.namespace, '-6 addr', ...words, 'dev eth0')
    const from = forgetHeard()
    address('flush scope link')
    await node.logged('deleteNDPResponder', from)
    assert.equal(await client.resolve(IPV4), node.mac(), 'ARP needs none')
    forgetHeard()
    address('add fe80::a/64 nodad')
    await until('announced', () => ndp.advertised(IPV6).some(said => !said.solicited && said.from === 'fe80::a'))
    assert.equal((await ndp.resolve(IPV6)).from, 'fe80::a')
    address('add fe80::b/64 nodad')
    address('del fe80::a/64')
    await until('an answer from the next one', () => {
      ndp.ask(IPV6)
      return ndp.advertised(IPV6).some(({ from }) => from === 'fe80::b')
    })
    assert.equal((await ndp.resolve(IPV6)).from, 'fe80::b')
  })

  test('addresses: those of the node itself are known when they come and when they go', async () => {
    for (const own of ['10.77.0.2', '2001:db8::2']) {
      const bits = own.includes(':') ? 64 : 24
      const from = node.lines.length
      ip('-n', node.namespace, `addr add ${own}/${bits} dev eth0${bits === 64 ? ' nodad' : ''}`)
      await known('eth0', ({ addresses }) => addresses.includes(own), from)
      const added = node.lines.length
      ip('-n', node.namespace, `addr del ${own}/${bits} dev eth0`)
      await known('eth0', ({ addresses }) => !addresses.includes(own), added)
    }
  })

  test('deleted and made again under its name it announces and answers as the new one', async () => {
    const before = node.mac()
    const from = forgetHeard()
    ip('-n', node.namespace, 'link del eth0')
    await node.line(({ interfaces }) => (interfaces as string[] | undefined)?.includes('eth0') === false, from)
    node.addInterface('eth0')
    assert.notEqual(node.mac(), before)
    await speaksWith(node.mac())
  })
})
