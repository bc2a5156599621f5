import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { formatAddress, type Mac, parseAddress } from '../../core/ip/index.ts'
import type { NetworkInterface, Random } from '../../ports/index.ts'
import { FakeLink, QUEUE_LENGTH } from '../../testing/fake-link.ts'
import {
  type Claim,
  COUNTERS,
  decodeFrame,
  ETHERTYPE_ARP,
  encodeFrame,
  GRATUITOUS,
  RECEIVED,
  REPLIES_PER_SECOND,
  ROUNDS_MS,
  SENT,
  Station,
  type StationEvent,
} from '../ethernet/index.ts'
import { ArpVoice, decodeArp, encodeArp, REPLY, REQUEST } from './index.ts'

const CLIENT = '02:00:00:00:00:01' as Mac
const VIP = '192.168.1.240'
const middling: Random = { next: () => 0.5, bytes: length => new Uint8Array(length) }

let wires: Map<string, FakeLink>
let events: StationEvent[]
let counts: Uint32Array
let refuse: Set<string>
let station: Station<number, FakeLink>
let claimed: Set<number>

beforeEach(() => {
  wires = new Map()
  events = []
  counts = new Uint32Array(4 * COUNTERS)
  refuse = new Set()
  claimed = new Set()
  station = new Station<number, FakeLink>({
    voice: new ArpVoice(),
    open: ({ name }) => {
      if (refuse.has(name)) throw new Error(`${name} is busy`)
      const { left, right } = FakeLink.pair()
      wires.set(name, right)
      return left
    },
    excluded: name => name.startsWith('cali'),
    report: event => events.push(event),
    counts,
    verbose: true,
    refreshMs: 0,
    random: middling,
  })
})

const link = (index: number, change: Partial<NetworkInterface> = {}): NetworkInterface => ({
  index,
  name: `eth${index}`,
  mac: `02:42:ac:11:00:0${index}` as Mac,
  up: true,
  carrier: true,
  broadcast: true,
  noArp: false,
  addresses: [],
  ...change,
})
const number = (text: string) => Number(parseAddress(text)!.value) | 0
function claim(now: number, ...rows: [ip: string, interfaces: 'all' | string[]][]): void {
  const entry = (interfaces: 'all' | string[], slot: number): Claim => ({
    interfaces: interfaces === 'all' ? 'all' : new Set(interfaces),
    slot,
  })
  const wanted = new Map(rows.map(([ip, names], slot) => [number(ip), entry(names, slot)]))
  const removed = [...claimed].filter(ip => !wanted.has(ip))
  claimed = new Set(wanted.keys())
  station.change(wanted, removed, now)
}
function packet(operation: number, senderMac: Mac, senderIp: string, targetIp: string): Uint8Array {
  const ips = { senderIp: parseAddress(senderIp)!, targetIp: parseAddress(targetIp)! }
  const payload = encodeArp({ operation, senderMac, targetMac: '00:00:00:00:00:00' as Mac, ...ips })
  return encodeFrame({ destination: 'ff:ff:ff:ff:ff:ff' as Mac, source: senderMac, etherType: ETHERTYPE_ARP, payload })
}
function hear(index: number, frame: Uint8Array): void {
  station.receive(index, frame, frame.length)
}
/** What arrived at the other end of the wire since the last look, in words. */
function wire(name: string): string[] {
  const heard: string[] = []
  const buffer = new Uint8Array(128)
  for (let length = wires.get(name)!.receive(buffer); length >= 0; length = wires.get(name)!.receive(buffer)) {
    const frame = decodeFrame(buffer.subarray(0, length))
    const { operation, senderIp, senderMac } = decodeArp(frame.payload)
    assert.equal(frame.source, senderMac)
    heard.push(
      `${operation === REQUEST ? 'request' : 'reply'} to ${frame.destination}: ${formatAddress(senderIp)} is at ${senderMac}`,
    )
  }
  return heard
}
const gratuitous = (ip: string, mac: string) => [
  `request to ff:ff:ff:ff:ff:ff: ${ip} is at ${mac}`,
  `reply to ff:ff:ff:ff:ff:ff: ${ip} is at ${mac}`,
]
const kinds = () => events.splice(0).map(event => event.kind)

test('a request is answered on the interface it came in on, counted and reported', () => {
  station.setInterfaces([link(1), link(2)], 0)
  claim(0, [VIP, 'all'])
  hear(2, packet(REQUEST, CLIENT, '192.168.1.35', VIP))
  assert.deepEqual(wire('eth2'), [`reply to ${CLIENT}: ${VIP} is at 02:42:ac:11:00:02`])
  assert.deepEqual(wire('eth1'), [])
  assert.deepEqual([...counts.subarray(0, COUNTERS)], [1, 1, 0])
  assert.deepEqual(events.at(-1), {
    kind: 'answered',
    exchange: {
      interface: 'eth2',
      ip: VIP,
      senderIP: '192.168.1.35',
      senderMAC: CLIENT,
      responseMAC: '02:42:ac:11:00:02',
    },
  })
})

test('IMP-13: a host that asks too often has no more answers until the next second, and others have theirs', () => {
  station.setInterfaces([link(1)], 0)
  claim(0, [VIP, 'all'])
  const [greedy, other] = [CLIENT, '02:00:00:00:00:02' as Mac].map(mac => packet(REQUEST, mac, '192.168.1.35', VIP))
  const answersTo = (frame: Uint8Array) => {
    wire('eth1')
    hear(1, frame)
    return wire('eth1').length
  }
  station.announce(10_000, 0)
  for (let count = 0; count < REPLIES_PER_SECOND; count++) hear(1, greedy!)
  assert.equal(answersTo(greedy!), 0)
  assert.equal(answersTo(other!), 1)
  assert.deepEqual(station.takeIgnored(), [{ interface: 'eth1', reasons: new Map([['rateLimited', 1]]) }])
  station.announce(10_999, 0)
  assert.equal(answersTo(greedy!), 0)
  station.announce(11_000, 0)
  assert.equal(answersTo(greedy!), 1)
})

test('an address announced on other interfaces is ignored here, and that is reported', () => {
  station.setInterfaces([link(1)], 0)
  claim(0, [VIP, ['eth7']])
  hear(1, packet(REQUEST, CLIENT, '192.168.1.35', VIP))
  assert.deepEqual(wire('eth1'), [])
  assert.deepEqual(kinds(), ['created', 'ignored'])
})

test('a reply that cannot be sent counts as received and not as sent', () => {
  station.setInterfaces([link(1)], 0)
  claim(0, [VIP, 'all'])
  station.links.get(1)!.down = true
  hear(1, packet(REQUEST, CLIENT, '192.168.1.35', VIP))
  assert.deepEqual([counts[RECEIVED], counts[SENT]], [1, 0])
  assert.deepEqual(kinds(), ['created', 'replyFailed'])
})

test('only eligible interfaces are opened, and closed once they are not', () => {
  station.setInterfaces([link(1), link(2, { name: 'cali2' }), link(3, { up: false }), link(4, { master: 1 })], 0)
  assert.deepEqual([...station.links.keys()], [1])
  const left = station.links.get(1)!
  station.setInterfaces([link(1, { up: false }), link(3)], 10)
  assert.ok(left.closed)
  assert.deepEqual([...station.links.keys()], [3])
  assert.deepEqual(kinds(), ['created', 'deleted', 'created'])
})

test('one interface that cannot be opened does not stop the others, and is tried again', () => {
  refuse.add('eth1')
  station.setInterfaces([link(1), link(2)], 0)
  assert.deepEqual([...station.links.keys()], [2])
  assert.ok(station.failed)
  refuse.clear()
  station.retry(5000)
  assert.deepEqual([...station.links.keys()], [2, 1])
  assert.ok(!station.failed)
  assert.deepEqual(kinds(), ['createFailed', 'created', 'created'])
})

test('a new address is announced in both forms on every interface it is for', () => {
  station.setInterfaces([link(1), link(2)], 0)
  claim(0, [VIP, 'all'], ['192.168.1.241', ['eth2']])
  station.announce(0, 100)
  assert.deepEqual(wire('eth1'), gratuitous(VIP, '02:42:ac:11:00:01'))
  assert.deepEqual(wire('eth2'), [
    ...gratuitous(VIP, '02:42:ac:11:00:02'),
    ...gratuitous('192.168.1.241', '02:42:ac:11:00:02'),
  ])
  assert.deepEqual([counts[GRATUITOUS], counts[COUNTERS + GRATUITOUS]], [4, 2])
})

test('announcing pauses after the limit and goes on at the next call', () => {
  station.setInterfaces([link(1)], 0)
  claim(0, [VIP, 'all'], ['192.168.1.241', 'all'])
  station.announce(0, 1)
  assert.deepEqual(wire('eth1'), gratuitous(VIP, '02:42:ac:11:00:01'))
  assert.equal(station.nextAt(), 0)
  station.announce(0, 1)
  assert.deepEqual(wire('eth1'), gratuitous('192.168.1.241', '02:42:ac:11:00:01'))
})

test('no gratuitous packet follows a withdrawal', () => {
  station.setInterfaces([link(1)], 0)
  claim(0, [VIP, 'all'])
  station.announce(0, 100)
  wire('eth1')
  claim(50)
  station.announce(10_000, 100)
  hear(1, packet(REQUEST, CLIENT, '192.168.1.35', VIP))
  assert.deepEqual(wire('eth1'), [])
  assert.equal(station.nextAt(), undefined)
})

/** All rounds are over: whatever is heard afterwards has a new cause. */
function settled(...interfaces: NetworkInterface[]): void {
  station.setInterfaces(interfaces, 0)
  claim(0, [VIP, 'all'])
  for (let now = station.nextAt(); now !== undefined; now = station.nextAt()) station.announce(now, 100)
  for (const { name } of interfaces) if (wires.has(name)) wire(name)
  events.length = 0
}

const causes: [what: string, before: NetworkInterface, after: NetworkInterface, mac: string][] = [
  ['comes up', link(1, { up: false }), link(1), '02:42:ac:11:00:01'],
  ['has carrier again', link(1, { carrier: false }), link(1), '02:42:ac:11:00:01'],
  ['changes its MAC', link(1), link(1, { mac: '02:42:ac:11:00:99' as Mac }), '02:42:ac:11:00:99'],
  ['leaves its bridge', link(1, { master: 5 }), link(1), '02:42:ac:11:00:01'],
]
for (const [what, before, after, mac] of causes)
  test(`an interface that ${what} announces everything again`, () => {
    settled(before)
    station.setInterfaces([after], 60_000)
    station.announce(60_000, 100)
    assert.deepEqual(wire('eth1'), gratuitous(VIP, mac))
    hear(1, packet(REQUEST, CLIENT, '192.168.1.35', VIP))
    assert.deepEqual(wire('eth1'), [`reply to ${CLIENT}: ${VIP} is at ${mac}`])
  })

test('changes that do not matter announce nothing', () => {
  settled(link(1))
  station.setInterfaces([link(1, { addresses: [{ address: parseAddress('10.0.0.1')!, length: 24 }] })], 60_000)
  claim(60_000, [VIP, ['eth1']])
  assert.equal(station.nextAt(), undefined)
})

test('without carrier nothing is sent', () => {
  station.setInterfaces([link(1, { carrier: false })], 0)
  claim(0, [VIP, 'all'])
  station.announce(0, 100)
  assert.deepEqual(wire('eth1'), [])
  assert.equal(counts[GRATUITOUS], 0)
})

test('a renamed interface is matched by its new name', () => {
  settled(link(1))
  claim(50_000, [VIP, ['lan0']])
  station.setInterfaces([link(1, { name: 'lan0' })], 60_000)
  station.announce(60_000, 100)
  assert.deepEqual(wire('eth1'), gratuitous(VIP, '02:42:ac:11:00:01'))
})

test('a foreign claim is a conflict; one of our own interfaces on the same segment is not', () => {
  settled(link(1), link(2))
  hear(1, packet(REPLY, '02:42:ac:11:00:02' as Mac, VIP, VIP))
  assert.deepEqual(kinds(), [])
  hear(1, packet(REPLY, CLIENT, VIP, VIP))
  const [conflict] = events
  assert.equal(conflict?.kind, 'conflict')
  const exchange = { interface: 'eth1', ip: VIP, senderIP: VIP, senderMAC: CLIENT, responseMAC: '02:42:ac:11:00:01' }
  assert.deepEqual(conflict, { kind: 'conflict', exchange })
})

test('an announcement that cannot be sent is told of with its address, is not counted, and the next round comes', () => {
  station.setInterfaces([link(1)], 0)
  claim(0, [VIP, 'all'])
  station.links.get(1)!.down = true
  station.announce(0, 100)
  const failed = events.filter(({ kind }) => kind === 'gratuitousFailed')
  assert.deepEqual(
    failed.map(event => ({ ...event, error: 'error' in event && event.error.message })),
    [{ kind: 'gratuitousFailed', interface: 'eth1', ip: VIP, error: 'the link is down' }],
  )
  assert.equal(counts[GRATUITOUS], 0)
  station.links.get(1)!.down = false
  station.announce(50, 100)
  assert.deepEqual(wire('eth1'), gratuitous(VIP, '02:42:ac:11:00:01'))
})

test('asked to, one address is announced again', () => {
  settled(link(1))
  const other = '192.168.1.241'
  claim(50_000, [VIP, 'all'], [other, 'all'])
  for (let now = 50_000; now < 60_000; now += 10) station.announce(now, 100)
  wire('eth1')
  station.reannounce(number(VIP), 60_000)
  station.announce(60_000, 100)
  assert.deepEqual(wire('eth1'), gratuitous(VIP, '02:42:ac:11:00:01'))
})

test('a frame for an interface that has just gone is nobody’s', () => {
  settled(link(1))
  station.setInterfaces([], 60_000)
  hear(1, packet(REQUEST, CLIENT, '192.168.1.35', VIP))
  assert.deepEqual(kinds(), ['deleted'])
})

test('addresses are watched on their interfaces for as long as they are wanted there, and failures are tried again', () => {
  const watched: string[] = []
  let broken = true
  const { left } = FakeLink.pair()
  const watching = new Station<number, FakeLink>({
    voice: new ArpVoice(),
    open: () => left,
    watch: (_, key) => {
      if (broken) throw new Error('no memory')
      watched.push(`+${key & 255}`)
    },
    unwatch: (_, key) => watched.push(`-${key & 255}`),
    excluded: () => false,
    report: event => events.push(event),
    counts,
    verbose: false,
    refreshMs: 0,
    random: middling,
  })
  watching.change([[number(VIP), { interfaces: 'all', slot: 0 }]], [], 0)
  watching.setInterfaces([link(1)], 0)
  assert.ok(watching.failed)
  broken = false
  watching.retry(5000)
  assert.ok(!watching.failed)
  watching.retry(10_000)
  assert.deepEqual(watched, ['+240'], 'once it works it is not done again')
  watching.change([[number(VIP), { interfaces: new Set(['eth7']), slot: 0 }]], [], 0)
  watching.change([], [number(VIP)], 0)
  assert.deepEqual(watched, ['+240', '-240', '-240'])
  assert.deepEqual(kinds(), ['created', 'watchFailed'])
})

test('what is not answered is counted for its interface by reason, once', () => {
  station.setInterfaces([link(1), link(2)], 0)
  claim(0, [VIP, 'all'], ['192.168.1.241', ['eth2']])
  const ignored = () => station.takeIgnored().map(({ interface: name, reasons }) => [name, Object.fromEntries(reasons)])
  hear(1, packet(REQUEST, CLIENT, '192.168.1.35', VIP))
  assert.deepEqual(ignored(), [])
  hear(1, packet(REQUEST, CLIENT, '192.168.1.35', '192.168.1.1'))
  hear(1, packet(REQUEST, CLIENT, '192.168.1.35', '192.168.1.1'))
  hear(1, packet(REQUEST, CLIENT, '192.168.1.35', '192.168.1.241'))
  hear(1, packet(REPLY, CLIENT, '192.168.1.35', VIP))
  hear(2, new Uint8Array(60))
  hear(2, encodeFrame({ ...decodeFrame(packet(REQUEST, CLIENT, '192.168.1.35', VIP)), destination: CLIENT }))
  assert.deepEqual(ignored(), [
    ['eth1', { announceIP: 2, notMatchInterface: 1, notRequest: 1 }],
    ['eth2', { malformed: 1, ethernetDestination: 1 }],
  ])
  assert.deepEqual(ignored(), [])
  for (let count = 0; count < 300; count++) wires.get('eth2')!.send(new Uint8Array(60)) // and nobody reads
  assert.deepEqual(ignored(), [['eth2', { receiveBufferFull: 300 - QUEUE_LENGTH }]])
  assert.deepEqual(ignored(), [])
})

// ── quiet takeover ──

const NODE = '02:00:00:00:00:0a' as Mac
const NODE_IP = '192.168.1.10'
/** A request and a reply in each round. */
const WITHIN_500_MS = 2 * ROUNDS_MS.filter(ms => ms <= 500).length

function takeOver(now: number, ...after: string[]): void {
  station.follow(new Map(after.map((node, i) => [node, [number(NODE_IP) + i]])))
  station.change(new Map([[number(VIP), { interfaces: 'all', slot: 0, after }]]), [], now)
}

/** What the station sends until the time, whenever it wants to be called; `answer` sees each frame and may reply. */
function live(name: string, untilMs: number, answer: (words: string, now: number) => void = () => {}): string[] {
  const sent: string[] = []
  for (let now = station.nextAt(); now !== undefined && now <= untilMs; now = station.nextAt()) {
    station.announce(now, 32)
    for (const words of wire(name)) {
      sent.push(`${now} ${words}`)
      answer(words, now)
    }
  }
  return sent
}
const isQuestion = (words: string) => !words.includes(VIP)
const reply = (mac: Mac, ip: string) => packet(REPLY, mac, ip, '192.168.1.2')
const on = (address: string) => ({ addresses: [{ address: parseAddress(address)!, length: 24 }] })

test('an address taken over quietly is answered and not announced while its former node answers for itself', () => {
  station.setInterfaces([link(1, on('192.168.1.2'))], 0)
  takeOver(0, 'node-a')
  const sent = live('eth1', 5000, words => isQuestion(words) && hear(1, reply(NODE, NODE_IP)))
  assert.ok(sent.length >= 50)
  assert.equal(sent[0], '0 request to ff:ff:ff:ff:ff:ff: 192.168.1.2 is at 02:42:ac:11:00:01')
  for (const words of sent.slice(1))
    assert.match(words, /^\d+ request to 02:00:00:00:00:0a: 192\.168\.1\.2 is at 02:42:ac:11:00:01$/)
  hear(1, packet(REQUEST, CLIENT, '192.168.1.35', VIP))
  assert.deepEqual(wire('eth1'), [`reply to ${CLIENT}: ${VIP} is at 02:42:ac:11:00:01`])
})

test('once the former node is silent for 0.4 s the address is announced as ever, and that is said', () => {
  station.setInterfaces([link(1)], 0)
  takeOver(0, 'node-a')
  const death = 1000
  const sent = live('eth1', 10_000, (words, now) => now < death && isQuestion(words) && hear(1, reply(NODE, NODE_IP)))
  const [first, ...rest] = sent.filter(words => !isQuestion(words))
  assert.ok(Number.parseInt(first!, 10) <= death + 400, first)
  assert.equal(rest.length, 2 * ROUNDS_MS.length - 1)
  assert.deepEqual(
    events.find(({ kind }) => kind === 'revealed'),
    { kind: 'revealed', interface: 'eth1', node: 'node-a', reason: 'unreachable', addresses: 1 },
  )
})

test('each interface is judged by itself: where the former node never answers, it is announced after 1.5 s', () => {
  station.setInterfaces([link(1), link(2)], 0)
  takeOver(0, 'node-a')
  for (let now = 0; now <= 2000; now += 50) {
    station.announce(now, 32)
    if (wire('eth1').some(isQuestion)) hear(1, reply(NODE, NODE_IP))
  }
  assert.equal(wire('eth2').filter(words => !isQuestion(words)).length, WITHIN_500_MS)
  assert.deepEqual(
    events.flatMap(event => (event.kind === 'revealed' ? [event.interface, event.reason] : [])),
    ['eth2', 'noEvidence'],
  )
})

test('of several former nodes each has to answer', () => {
  station.setInterfaces([link(1)], 0)
  takeOver(0, 'node-a', 'node-b')
  live('eth1', 1000, words => isQuestion(words) && hear(1, reply(NODE, NODE_IP)))
  assert.equal(
    live('eth1', 2000, () => hear(1, reply(NODE, NODE_IP))).filter(words => !isQuestion(words)).length,
    WITHIN_500_MS,
  )
})

test('what is no longer after anybody is announced at once; what was announced does not fall silent again', () => {
  station.setInterfaces([link(1)], 0)
  takeOver(0, 'node-a')
  live('eth1', 1000, words => isQuestion(words) && hear(1, reply(NODE, NODE_IP)))
  takeOver(1000)
  assert.deepEqual(
    live('eth1', 1000),
    gratuitous(VIP, '02:42:ac:11:00:01').map(words => `1000 ${words}`),
  )
  assert.equal(live('eth1', 60_000).filter(isQuestion).length, 0)
})

test('another MAC of the interface is told everybody, quiet or not', () => {
  station.setInterfaces([link(1)], 0)
  takeOver(0, 'node-a')
  live('eth1', 1000, words => isQuestion(words) && hear(1, reply(NODE, NODE_IP)))
  station.setInterfaces([link(1, { mac: '02:42:ac:11:00:99' as Mac })], 1000)
  assert.deepEqual(
    live('eth1', 1000),
    gratuitous(VIP, '02:42:ac:11:00:99').map(words => `1000 ${words}`),
  )
})
