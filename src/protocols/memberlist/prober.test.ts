import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { parseAddress } from '../../core/ip/index.ts'
import { silent } from '../../ports/index.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { FakeRandom } from '../../testing/fake-random.ts'
import { FAST_LAN, LAN } from './config.ts'
import { Members } from './members.ts'
import type { Message } from './message/index.ts'
import { Prober } from './prober.ts'

const { probeIntervalMs, probeTimeoutMs } = FAST_LAN.fast! // 250 and 100
const NACK_MS = 80
const addr = (last: number) => Uint8Array.from([10, 0, 0, last])
const lastOf = (value: bigint) => Number(value & 0xffn)

let clock: FakeClock
let members: Members
let prober: Prober
let heard: Set<string>
/** `last byte of the receiver: kinds`, with the messages. */
let sent: { to: number; messages: readonly Message[] }[]
let streams: { name: string; withinMs: number; done: (answered: boolean) => void }[]

/** Of this number of others, all of our own kind. */
function world(others: number, config = FAST_LAN): void {
  clock = new FakeClock()
  heard = new Set()
  sent = []
  streams = []
  const hears = (name: string) => heard.has(name)
  const timingOf = () => config.fast ?? config
  members = new Members({
    ...{ name: 'n1', clock, log: silent, config, port: 7946, timingOf, hears, acceptsName: () => true },
    broadcast: () => {},
    event: () => {},
  })
  const vsn = Uint8Array.from([1, 5, 2, 0, 0, 0])
  members.announce({ addr: addr(1), port: 7946, vsn })
  for (let last = 2; last < 2 + others; last++)
    members.alive({ kind: 'alive', node: `n${last}`, incarnation: 1, addr: addr(last), port: 7946, vsn })
  prober = new Prober({
    ...{ clock, random: new FakeRandom(1), log: silent, config, members, timingOf, hears },
    source: { sourceAddr: addr(1), sourcePort: 7946, sourceNode: 'n1' },
    send: ({ address }, messages) => void sent.push({ to: lastOf(address.value), messages }),
    pingStream: ({ name }, _ping, withinMs, done) => void streams.push({ name, withinMs, done }),
  })
}

function take() {
  const before = sent
  sent = []
  return before
}
const kinds = (those = take()) => those.map(({ to, messages }) => `${to}: ${messages.map(({ kind }) => kind)}`)
const seqOf = (at: number) => (sent[at]!.messages[0] as { seqNo: number }).seqNo
const state = (name: string) => members.get(name)?.state

beforeEach(() => world(4))

test('one ping an interval, each node once before anybody twice, and never itself', () => {
  prober.start()
  const asked: number[] = []
  for (let round = 0; round < 8; round++) {
    clock.advance(probeIntervalMs)
    assert.equal(sent.length, 1)
    prober.ack(seqOf(0))
    asked.push(...take().map(({ to }) => to))
  }
  assert.deepEqual(
    [asked.slice(0, 4).sort(), asked.slice(4).sort()],
    [
      [2, 3, 4, 5],
      [2, 3, 4, 5],
    ],
  )
  assert.equal(members.health, 0)
})

test('without an answer three others are asked and TCP is tried, for what is left of the interval; then it is suspect', () => {
  prober.start()
  clock.advance(probeIntervalMs)
  const { to } = take()[0]!
  clock.advance(probeTimeoutMs - 1)
  assert.deepEqual(kinds(), [])
  clock.advance(1)
  const helpers = sent.map(one => one.to).sort()
  assert.deepEqual(
    helpers,
    [2, 3, 4, 5].filter(other => other !== to),
  )
  const [request] = sent[0]!.messages
  assert.deepEqual(request, {
    ...{ kind: 'indirectPing', seqNo: 1, target: addr(to), port: 7946, node: `n${to}`, nack: true },
    ...{ sourceAddr: addr(1), sourcePort: 7946, sourceNode: 'n1' },
  })
  assert.deepEqual(
    streams.map(({ name, withinMs }) => [name, withinMs]),
    [[`n${to}`, probeIntervalMs - probeTimeoutMs]],
  )
  clock.advance(probeIntervalMs - probeTimeoutMs - 1)
  assert.equal(state(`n${to}`), 'alive')
  clock.advance(1)
  assert.equal(state(`n${to}`), 'suspect')
})

test('an answer that comes late, directly or by another one, is an answer', () => {
  prober.start()
  clock.advance(probeIntervalMs)
  const { to } = sent[0]!
  const asked = seqOf(0)
  clock.advance(200)
  prober.ack(asked)
  clock.advance(60)
  assert.equal(state(`n${to}`), 'alive')
})

const HEALTH: [name: string, others: number, nacks: number, health: number][] = [
  ['nobody to ask', 1, 0, 1],
  ['all three said that it does not answer them either', 4, 3, 0],
  ['one of three did not answer at all', 4, 2, 1],
  ['none of three answered', 4, 0, 3],
  ['one of one answered', 2, 1, 0],
  ['one of one did not answer', 2, 0, 1],
]
for (const [name, others, nacks, health] of HEALTH)
  test(`health after a failed probe, ${name}: ${health}`, () => {
    world(others)
    prober.start()
    clock.advance(probeIntervalMs)
    const asked = seqOf(0)
    for (let at = 0; at < nacks; at++) prober.nack(asked)
    clock.advance(probeIntervalMs)
    assert.equal(members.health, health)
  })

test('each point of health makes the wait longer by an interval; an answer takes one point off', () => {
  world(1)
  members.changeHealth(2)
  prober.start()
  clock.advance(probeIntervalMs)
  clock.advance(3 * probeIntervalMs - 1)
  assert.equal(state('n2'), 'alive')
  clock.advance(1)
  assert.deepEqual([state('n2'), members.health], ['suspect', 3])
  assert.equal(kinds(sent).at(-1), '2: ping,suspect', 'ticks went by; a suspect hears of it')
  prober.ack(seqOf(sent.length - 1))
  assert.equal(members.health, 2)
})

test('a tick that came while a probe went on is made up for at once', () => {
  members.changeHealth(1)
  prober.start()
  clock.advance(probeIntervalMs)
  const first = seqOf(0)
  clock.advance(probeIntervalMs + 10)
  take()
  prober.ack(first)
  assert.deepEqual(kinds(), [])
  clock.advance(0)
  assert.equal(kinds(sent).filter(text => text.endsWith(' ping')).length, 1)
  prober.ack(seqOf(0))
  take()
  clock.advance(100)
  assert.deepEqual(kinds(), [], 'one tick is owed, not two')
})

test('reached over TCP alone, or heard in another way: nobody is accused', () => {
  for (const how of ['tcp', 'heard']) {
    world(1)
    prober.start()
    clock.advance(probeIntervalMs + probeTimeoutMs)
    if (how === 'tcp') streams[0]!.done(true)
    else heard.add('n2')
    clock.advance(probeIntervalMs)
    assert.deepEqual([state('n2'), members.health], ['alive', 0], how)
  }
  world(1)
  prober.start()
  clock.advance(probeIntervalMs + probeTimeoutMs)
  streams[0]!.done(false)
  clock.advance(probeIntervalMs)
  assert.equal(state('n2'), 'suspect')
})

test('TCP is not tried where it is turned off', () => {
  world(1, { ...FAST_LAN, disableTcpPings: true })
  prober.start()
  clock.advance(2 * probeIntervalMs)
  assert.deepEqual(streams, [])
})

test('the usual timing: a second between probes, half a second to answer', () => {
  world(1, LAN)
  prober.start()
  clock.advance(999)
  assert.deepEqual(kinds(sent), [])
  clock.advance(1)
  assert.deepEqual(kinds(), ['2: ping'])
  clock.advance(999)
  assert.equal(state('n2'), 'alive')
  clock.advance(1)
  assert.equal(state('n2'), 'suspect')
})

const ASKER = { address: parseAddress('10.0.0.9')!, port: 7946 }
const TARGET = { address: parseAddress('10.0.0.2')!, port: 7946 }
const request = (nack: boolean) =>
  ({ kind: 'indirectPing', seqNo: 77, target: addr(2), port: 7946, node: 'n2', nack }) as const

test('for another one: the target is asked under an own number, and the answer goes back under that of the asker', () => {
  prober.help(request(true), TARGET, ASKER)
  assert.deepEqual(kinds(sent), ['2: ping'])
  const own = seqOf(0)
  assert.notEqual(own, 77)
  take()
  prober.ack(own)
  assert.deepEqual(take(), [{ to: 9, messages: [{ kind: 'ack', seqNo: 77 }] }])
  prober.ack(own)
  clock.advance(1000)
  assert.deepEqual(take(), [], 'once, and no nack after it')
})

test('58 for another one: no answer is said after 80 % of the time, where that was wished', () => {
  prober.help(request(true), TARGET, ASKER)
  prober.help(request(false), TARGET, ASKER)
  take()
  clock.advance(NACK_MS - 1)
  assert.deepEqual(take(), [])
  clock.advance(1)
  assert.deepEqual(take(), [{ to: 9, messages: [{ kind: 'nack', seqNo: 77 }] }])
  prober.ack(1)
  assert.deepEqual(kinds(), ['9: ack'], 'still in time')
  clock.advance(100)
  prober.ack(2)
  assert.deepEqual(take(), [], 'too late')
})

test('no more than 4096 questions are open', () => {
  for (let count = 0; count < 4100; count++) prober.help(request(false), TARGET, ASKER)
  assert.equal(take().length, 4096)
  clock.advance(probeTimeoutMs)
  prober.help(request(false), TARGET, ASKER)
  assert.equal(take().length, 1)
})

test('stopped, it asks and accuses nobody', () => {
  prober.start()
  clock.advance(probeIntervalMs)
  prober.help(request(true), TARGET, ASKER)
  take()
  prober.stop()
  clock.advance(10_000)
  assert.deepEqual([kinds(), clock.armed, members.all().every(({ state: now }) => now === 'alive')], [[], 0, true])
})
