/** Examples 31 to 51 of chapter 03 section 7, as far as they are about one node and what it says; bytes of appendix A. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Mac, parseAddress } from '../../core/ip/index.ts'
import type { NetworkInterface, Random } from '../../ports/index.ts'
import { FakeLink } from '../../testing/fake-link.ts'
import { hex } from '../../testing/hex.ts'
import { ArpVoice } from '../arp/index.ts'
import { NdpVoice } from '../ndp/index.ts'
import { type Claim, COUNTERS, GRATUITOUS, RECEIVED, SENT, Station, type StationEvent, type Voice } from './index.ts'

const middling: Random = { next: () => 0.5, bytes: length => new Uint8Array(length) }

function anInterface(index: number, change: Partial<NetworkInterface> = {}): NetworkInterface {
  return {
    ...{ index, name: `eth${index}`, mac: `02:42:ac:11:00:0${2 + index}` as Mac },
    ...{ up: true, carrier: true, broadcast: true, noArp: false },
    addresses: [{ address: parseAddress('fe80::42:acff:fe11:2')!, length: 64 }],
    ...change,
  }
}

/** A node with eth0 and eth1; what it says on each is heard. */
function aNode<K>(voice: Voice<K>, interfaces = [anInterface(0), anInterface(1)]) {
  const wires = new Map<number, FakeLink>()
  const events: StationEvent[] = []
  const joined = new Map<number, Set<K>>()
  const counts = new Uint32Array(8 * COUNTERS)
  const indices = new Map<FakeLink, number>()
  const station = new Station<K, FakeLink>({
    ...{ voice, excluded: () => false, verbose: true, counts, refreshMs: 0, random: middling },
    report: event => events.push(event),
    open: ({ index }) => {
      const { left, right } = FakeLink.pair()
      wires.set(index, right)
      indices.set(left, index)
      joined.set(index, new Set())
      return left
    },
    watch: (link, key) => joined.get(indices.get(link)!)!.add(key),
    unwatch: (link, key) => joined.get(indices.get(link)!)!.delete(key),
  })
  station.setInterfaces(interfaces, 0)
  /** Frames on the wire of the interface since the last call. */
  const heard = (index = 0): Uint8Array[] => {
    const frames: Uint8Array[] = []
    const buffer = new Uint8Array(256)
    for (let length = wires.get(index)!.receive(buffer); length >= 0; length = wires.get(index)!.receive(buffer))
      frames.push(buffer.slice(0, length))
    return frames
  }
  const ask = (frame: Uint8Array, index = 0) => {
    station.receive(index, frame, frame.length)
    return heard(index)
  }
  /** Times of what is said unasked on eth0. */
  const times = (fromMs: number, toMs: number): number[] => {
    const said: number[] = []
    for (let now = fromMs; now <= toMs; now += 50) {
      station.announce(now, 32)
      for (const _ of heard()) said.push(now)
    }
    return said
  }
  return { station, events, joined, counts, heard, ask, times }
}

const VIP = Number(parseAddress('192.168.1.240')!.value) | 0
const ALL: Claim = { interfaces: 'all', slot: 0 }
const ETH1: Claim = { interfaces: new Set(['eth1']), slot: 0 }
/** What the spec announces at; ours adds three early rounds (README). */
const ROUNDS = [0, 1100, 2200, 3300, 4400]

function announcing(claim: Claim = ALL) {
  const node = aNode(new ArpVoice())
  node.station.change([[VIP, claim]], [], 0)
  return node
}

const request = hex`ffffffffffff 020000000001 0806 0001080006040001 020000000001c0a80123 000000000000c0a801f0 ${'00'.repeat(18)}`
const reply = hex`020000000001 0242ac110002 0806 0001080006040002 0242ac110002c0a801f0 020000000001c0a80123 ${'00'.repeat(18)}`
const gratuitous = [
  hex`ffffffffffff 0242ac110002 0806 0001080006040001 0242ac110002c0a801f0 ffffffffffffc0a801f0 ${'00'.repeat(18)}`,
  hex`ffffffffffff 0242ac110002 0806 0001080006040002 0242ac110002c0a801f0 ffffffffffffc0a801f0 ${'00'.repeat(18)}`,
]
const changed = (at: number, bytes: Uint8Array) => {
  const frame = request.slice()
  frame.set(bytes, at)
  return frame
}

test('31 a broadcast request has exactly one reply, 60 bytes, unicast, as in A.1', () => {
  const node = announcing()
  assert.deepEqual(node.ask(request), [reply])
  assert.deepEqual([node.counts[RECEIVED], node.counts[SENT]], [1, 1])
})

test('32 a node that does not announce it says nothing, on the wire and in the log', () => {
  const node = aNode(new ArpVoice())
  const before = node.events.length
  assert.deepEqual(node.ask(request), [])
  assert.equal(node.events.length, before)
})

const DESTINATIONS: [what: string, destination: Uint8Array, answers: number][] = [
  ['its own MAC', hex`0242ac110002`, 1],
  ['another MAC', hex`0242ac1100ff`, 0],
  ['a multicast MAC', hex`01005e000001`, 0],
]
for (const [what, destination, answers] of DESTINATIONS)
  test(`33 a request to ${what} has ${answers} answers`, () =>
    assert.equal(announcing().ask(changed(0, destination)).length, answers))

for (const [what, operation] of [
  ['a reply', 2],
  ['a reverse request', 3],
] as const)
  test(`34 ${what} is ignored`, () => assert.deepEqual(announcing().ask(changed(20, Uint8Array.of(0, operation))), []))

test('35 a probe without a sender address is answered to 0.0.0.0', () => {
  const [answer] = announcing().ask(changed(28, new Uint8Array(4)))
  assert.deepEqual(answer!.subarray(38, 42), new Uint8Array(4))
})

test('36 announced on eth1: a request on eth0 has no reply and a debug event, on eth1 the MAC of eth1', () => {
  const node = announcing(ETH1)
  assert.deepEqual(node.ask(request), [])
  assert.deepEqual(
    node.events.flatMap(event => (event.kind === 'ignored' ? [event.exchange.interface, event.exchange.ip] : [])),
    ['eth0', '192.168.1.240'],
  )
  const [answer] = node.ask(request, 1)
  assert.deepEqual(answer!.subarray(22, 28), hex`0242ac110003`)
})

test('37 announced on the interfaces of two advertisements, or of one without any', () => {
  const both = announcing({ interfaces: new Set(['eth0', 'eth1']), slot: 0 })
  for (const index of [0, 1]) assert.equal(both.ask(request, index).length, 1)
  const everywhere = announcing(ALL)
  for (const index of [0, 1]) assert.equal(everywhere.ask(request, index).length, 1)
})

test('38 a first announcement: request and reply as in A.1, in every round of the reference, counted', () => {
  const node = announcing()
  node.station.announce(0, 32)
  assert.deepEqual(node.heard(), gratuitous)
  const times = [0, 0, ...node.times(50, 10_000)]
  for (const round of ROUNDS) assert.equal(times.filter(time => time === round).length, 2, `${round} ms`)
  assert.equal(node.counts[GRATUITOUS], 2 * times.length, 'two interfaces')
  assert.ok(times.length >= 10 && Math.max(...times) === 4400)
})

test('39 no gratuitous packet follows a withdrawal; announced anew it starts again', () => {
  const node = announcing()
  node.times(0, 1500)
  node.station.change([], [VIP], 1500)
  assert.deepEqual(node.times(1550, 3000), [])
  node.station.change([[VIP, ALL]], [], 3000)
  const times = node.times(3000, 20_000)
  assert.deepEqual([times[0], times.at(-1)], [3000, 7400])
})

const BOND = anInterface(1, { name: 'bond0' })
const INTERFACES: [what: string, interfaces: NetworkInterface[], open: string[]][] = [
  [
    '41 a bond, its members and a VLAN on it',
    [BOND, member(2), member(3), vlan(4, 'bond0.100')],
    ['bond0', 'bond0.100'],
  ],
  ['42 a bridge and its port', [anInterface(1, { name: 'br0' }), member(2)], ['br0']],
  ['42 without ARP', [anInterface(1, { noArp: true })], []],
  ['42 down', [anInterface(1, { up: false })], []],
  ['44 a VLAN without any address', [vlan(1, 'eth0.5', [])], ['eth0.5']],
]
function member(index: number): NetworkInterface {
  return anInterface(index, { master: 1 })
}
function vlan(index: number, name: string, addresses?: []): NetworkInterface {
  return anInterface(index, { name, ...(addresses && { addresses }) })
}
for (const [what, interfaces, open] of INTERFACES)
  test(`${what}: responders on ${open.join(' and ') || 'none'}`, () => {
    const { events } = aNode(new ArpVoice(), interfaces)
    assert.deepEqual(
      events.flatMap(event => (event.kind === 'created' ? event.interface : [])),
      open,
    )
  })

test('42, 45 an interface that is set up, or added, answers as soon as that is known', () => {
  const node = aNode(new ArpVoice(), [anInterface(0, { up: false })])
  node.station.change([[VIP, ALL]], [], 0)
  node.station.setInterfaces([anInterface(0), anInterface(9)], 1000)
  for (const index of [0, 9]) assert.equal(node.ask(request, index).length, 1)
})

const VIP6 = parseAddress('2001:db8::f')!.value
const TWIN = parseAddress('2001:db8:1::f')!.value
const header = (source: string, destination: string, length = '0020') =>
  `60000000 ${length} 3aff ${source} ${destination}`
const CLIENT6 = 'fe80000000000000 0000000000000001'
const NODE6 = 'fe80000000000000 0042acfffe110002'
const GROUP6 = 'ff02000000000000 00000001ff00000f'
const NODES6 = 'ff02000000000000 0000000000000001'
const solicitation = hex`3333ff00000f 020000000001 86dd ${header(CLIENT6, GROUP6)} 87004b450000000020010db800000000000000000000000f0101020000000001`
const advertisement = hex`020000000001 0242ac110002 86dd ${header(NODE6, CLIENT6)} 8800912d6000000020010db800000000000000000000000f02010242ac110002`
const unsolicited = hex`333300000001 0242ac110002 86dd ${header(NODE6, NODES6)} 8800d0ab2000000020010db800000000000000000000000f02010242ac110002`
const probe = hex`3333ff00000f 020000000001 86dd ${header('00'.repeat(16), GROUP6, '0018')} 87004cd10000000020010db800000000000000000000000f`

function announcing6(claims: [bigint, Claim][] = [[VIP6, ALL]]) {
  const node = aNode(new NdpVoice())
  node.station.change(claims, [], 0)
  return node
}

test('46 a solicitation to the group has one advertisement, unicast, as in A.2 with override (IMP-16)', () => {
  assert.deepEqual(announcing6().ask(solicitation), [advertisement])
})

test('47 without a link-layer address it is answered by unicast, and not to the group (IMP-17)', () => {
  const bare = (to: string, destination: string, checksum: string) =>
    hex`${to} 020000000001 86dd ${header(CLIENT6, destination, '0018')} 8700${checksum}00000000 20010db800000000000000000000000f`
  const node = announcing6()
  assert.deepEqual(node.ask(bare('0242ac110002', '20010db800000000 000000000000000f', '1e9b')), [advertisement])
  assert.deepEqual(node.ask(bare('3333ff00000f', GROUP6, '4e4f')), [])
  assert.deepEqual(node.station.takeIgnored()[0]?.reasons, new Map([['noSourceLinkLayer', 1]]))
})

test('a DAD probe as in A.2 is answered to all nodes (section 3.5)', () => {
  assert.deepEqual(announcing6().ask(probe), [unsolicited])
})

test('48, 49 requests for an address reach the node where and as long as it is announced', () => {
  const node = announcing6([
    [VIP6, ALL],
    [TWIN, ALL],
  ])
  assert.deepEqual(
    [...node.joined.values()].map(keys => keys.size),
    [2, 2],
  )
  node.station.change([], [VIP6], 1000)
  assert.deepEqual([...node.joined.get(0)!], [TWIN])
  node.station.change([], [TWIN], 2000)
  assert.equal(node.joined.get(0)!.size, 0)
})

test('50 unsolicited advertisements as in A.2 to all nodes, in every round of the reference', () => {
  const node = announcing6()
  node.station.announce(0, 32)
  assert.deepEqual(node.heard(), [unsolicited])
  const times = [0, ...node.times(50, 10_000)]
  for (const round of ROUNDS) assert.equal(times.filter(time => time === round).length, 1, `${round} ms`)
})

test('51 an interface that gets its link-local address after the address was announced answers', () => {
  const node = aNode(new NdpVoice(), [anInterface(0, { addresses: [] })])
  node.station.change([[VIP6, ALL]], [], 0)
  node.station.setInterfaces([anInterface(0)], 1000)
  assert.deepEqual([...node.joined.get(0)!], [VIP6])
  assert.deepEqual(node.ask(solicitation), [advertisement])
})
