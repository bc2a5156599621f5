import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { FakeClock } from '../../testing/fake-clock.ts'
import { FakeLog } from '../../testing/fake-log.ts'
import { FAST_LAN } from './config.ts'
import { Members } from './members.ts'
import type { Alive, Message } from './message/index.ts'

const VSN = Uint8Array.from([1, 5, 2, 0, 0, 0])
const addr = (last: number) => Uint8Array.from([10, 0, 0, last])

let clock: FakeClock
let log: FakeLog
let events: string[]
let said: string[]
let members: Members
let heard: Set<string>

const textOf = (message: Message) =>
  'node' in message && 'incarnation' in message
    ? `${message.kind} ${message.node} ${message.incarnation}`
    : message.kind

const aliveAs = (node: string, incarnation: number, change: Partial<Alive> = {}): Alive => {
  const last = node === 'self' ? 1 : node.charCodeAt(0) - 95
  return { kind: 'alive', node, incarnation, addr: addr(last), port: 7946, vsn: VSN, ...change }
}
const suspect = (node: string, incarnation: number, from = 'z') =>
  members.suspect({ kind: 'suspect', node, incarnation, from })
const dead = (node: string, incarnation: number, from = 'z') => members.dead({ kind: 'dead', node, incarnation, from })
const stateOf = (node: string) => members.get(node)?.state

/** What was told and said since the last call. */
function news(): { events: string[]; said: string[] } {
  const now = { events, said }
  events = []
  said = []
  return now
}

beforeEach(() => {
  clock = new FakeClock()
  log = new FakeLog()
  events = []
  said = []
  heard = new Set()
  members = new Members({
    ...{ name: 'self', clock, log, config: FAST_LAN, port: 7946, timingOf: () => FAST_LAN.fast! },
    acceptsName: name => name !== 'Refused',
    hears: name => heard.has(name),
    broadcast: (_subject, message) => said.push(textOf(message)),
    event: (kind, { name }) => events.push(`${kind} ${name}`),
  })
  members.announce({ addr: addr(1), port: 7946, vsn: VSN })
  for (const node of ['b', 'c', 'd']) members.alive(aliveAs(node, 1))
  news()
})

test('an accusation is refuted above its incarnation, and makes this node less well', () => {
  suspect('self', 7)
  assert.deepEqual([news().said, stateOf('self'), members.health], [['alive self 8'], 'alive', 1])
  dead('self', 8)
  assert.deepEqual([news().said, stateOf('self'), members.health], [['alive self 9'], 'alive', 2])
})

test('an accusation that was refuted before is answered again with the same words: the answer may have been lost', () => {
  suspect('self', 7)
  news()
  suspect('self', 7)
  dead('self', 1)
  assert.deepEqual([news().said, members.health], [['alive self 8', 'alive self 8'], 1])
  suspect('b', 0) // of another node an old accusation is nothing
  dead('b', 0)
  assert.deepEqual([news(), stateOf('b')], [{ events: [], said: [] }, 'alive'])
})

test('who leaves refutes nothing', () => {
  members.leave(() => {})
  assert.deepEqual([news().said, stateOf('self')], [['dead self 1'], 'left'])
  suspect('self', 0)
  dead('self', 0)
  suspect('self', 5)
  dead('self', 5)
  assert.deepEqual([news().said, stateOf('self')], [[], 'left'])
})

test('what another one holds for dead and is heard here is under suspicion alone, until it is heard no more', () => {
  heard.add('b')
  dead('b', 1)
  assert.deepEqual([news(), stateOf('b')], [{ events: [], said: ['suspect b 1'] }, 'suspect'])
  dead('c', 1)
  assert.deepEqual([news(), stateOf('c')], [{ events: ['NodeLeave c'], said: ['dead c 1'] }, 'dead'])
  clock.advance(60_000)
  assert.equal(stateOf('b'), 'suspect')
  heard.clear()
  clock.advance(60_000)
  assert.deepEqual([news().events, stateOf('b')], [['NodeLeave b'], 'dead'])
})

test('whoever says itself that it leaves is gone, heard or not', () => {
  heard.add('b')
  dead('b', 1, 'b')
  assert.deepEqual([news().events, stateOf('b')], [['NodeLeave b'], 'left'])
})

test('a node never heard of joins; the same words again are no news; a higher incarnation and another meta are', () => {
  members.alive(aliveAs('e', 4))
  members.alive(aliveAs('e', 4))
  assert.deepEqual(news(), { events: ['NodeJoin e'], said: ['alive e 4'] })
  members.alive(aliveAs('e', 3, { meta: Uint8Array.of(1) }))
  assert.deepEqual(news(), { events: [], said: [] })
  members.alive(aliveAs('e', 5))
  members.alive(aliveAs('e', 6, { meta: Uint8Array.of(1) }))
  assert.deepEqual(news(), { events: ['NodeUpdate e'], said: ['alive e 5', 'alive e 6'] })
  assert.deepEqual([...members.get('e')!.meta], [1])
})

const IMPLAUSIBLE: [name: string, news: Partial<Alive>][] = [
  ['a name that is not accepted', { node: 'Refused' }],
  ['no unicast address', { addr: Uint8Array.from([224, 0, 0, 1]) }],
  ['too much meta', { meta: new Uint8Array(513) }],
  ['too few versions', { vsn: Uint8Array.from([1, 5, 2, 0, 0]) }],
  ['no lowest version', { vsn: Uint8Array.from([0, 5, 2, 0, 0, 0]) }],
  ['no highest version', { vsn: Uint8Array.from([1, 0, 2, 0, 0, 0]) }],
  ['versions upside down', { vsn: Uint8Array.from([5, 4, 2, 0, 0, 0]) }],
]
for (const [name, change] of IMPLAUSIBLE)
  test(`an alive with ${name} is not believed`, () => {
    members.alive(aliveAs('e', 1, change))
    assert.deepEqual([news(), members.size], [{ events: [], said: [] }, 4])
  })

test('an alive without versions keeps those that are known, one with them replaces them; 512 bytes of meta are allowed', () => {
  members.alive(aliveAs('b', 2, { vsn: new Uint8Array(), meta: new Uint8Array(512) }))
  assert.deepEqual([members.get('b')!.vsn, members.get('b')!.meta.length], [VSN, 512])
  const other = Uint8Array.from([1, 4, 2, 0, 0, 0])
  members.alive(aliveAs('b', 3, { vsn: other }))
  assert.deepEqual(members.get('b')!.vsn, other)
})

test('60 another address is a conflict while the node lives or is dead, a move after it left, and news 30 s after a death', () => {
  members.alive(aliveAs('b', 5, { addr: addr(99) }))
  dead('c', 1)
  members.alive(aliveAs('c', 5, { port: 7999 }))
  assert.equal(log.lines.filter(({ level }) => level === 'error').length, 2)
  assert.deepEqual([members.get('b')!.incarnation, stateOf('c')], [1, 'dead'])
  dead('d', 1, 'd')
  news()
  members.alive(aliveAs('d', 1, { addr: addr(99) }))
  assert.deepEqual([news().events, members.get('d')!.address.value & 0xffn], [['NodeJoin d'], 99n])
  clock.advance(29_999)
  members.reap()
  members.alive(aliveAs('c', 6, { addr: addr(99) }))
  assert.equal(stateOf('c'), 'dead')
  clock.advance(2)
  members.reap()
  members.alive(aliveAs('c', 6, { addr: addr(99) }))
  assert.deepEqual([news().events, members.get('c')!.address.value & 0xffn], [['NodeJoin c'], 99n])
})

test('a suspicion ends by a refutation; by time the node is dead, and told of to the others', () => {
  suspect('b', 1, 'c')
  assert.deepEqual([stateOf('b'), news().said], ['suspect', ['suspect b 1']])
  members.alive(aliveAs('b', 1))
  assert.equal(stateOf('b'), 'suspect', 'the same incarnation refutes nothing')
  members.alive(aliveAs('b', 2))
  assert.equal(stateOf('b'), 'alive')
  clock.advance(100_000)
  assert.deepEqual([stateOf('b'), news().events], ['alive', []])
  suspect('b', 2, 'c')
  news()
  clock.advance(100_000)
  assert.deepEqual([stateOf('b'), news()], ['dead', { events: ['NodeLeave b'], said: ['dead b 2'] }])
})

test('another accuser is passed on and makes it shorter; the same one is neither', () => {
  suspect('b', 1, 'c')
  suspect('b', 1, 'c')
  suspect('b', 1, 'd')
  suspect('b', 1, 'd')
  assert.deepEqual(news().said, ['suspect b 1', 'suspect b 1'])
  clock.advance(750) // three probe intervals; unconfirmed it were six times as long
  assert.equal(stateOf('b'), 'dead')
})

test('who is gone cannot be suspected or die again; it comes back with a higher incarnation', () => {
  dead('b', 3)
  news()
  suspect('b', 4)
  dead('b', 4)
  members.alive(aliveAs('b', 3))
  assert.deepEqual(news(), { events: [], said: [] })
  members.alive(aliveAs('b', 4))
  assert.deepEqual([news().events, stateOf('b')], [['NodeJoin b'], 'alive'])
})

test('what another one holds: its living join, its left are left, its suspects and dead are suspects here', () => {
  const record = (name: string, state: 'alive' | 'suspect' | 'dead' | 'left') => ({
    ...{ name, state, addr: addr(name.charCodeAt(0) - 95), port: 7946, incarnation: 1, vsn: VSN },
  })
  members.merge([record('b', 'left'), record('c', 'dead'), record('d', 'suspect'), record('e', 'alive')])
  assert.deepEqual(['b', 'c', 'd', 'e'].map(stateOf), ['left', 'suspect', 'suspect', 'alive'])
  assert.deepEqual(news().events, ['NodeLeave b', 'NodeJoin e'])
})

test('the gone are forgotten when nobody is told of them any more, this node never', () => {
  dead('b', 1)
  clock.advance(FAST_LAN.gossipToTheDeadMs)
  members.reap()
  assert.equal(stateOf('b'), 'dead')
  clock.advance(1)
  members.leave(() => {})
  clock.advance(FAST_LAN.gossipToTheDeadMs + 1)
  members.reap()
  assert.deepEqual([stateOf('b'), stateOf('self'), stateOf('c')], [undefined, 'left', 'alive'])
})

test('what is said of this node: repeated words are none, other ones of an earlier life are refuted', () => {
  members.alive(aliveAs('self', 1))
  members.alive(aliveAs('self', 0, { meta: Uint8Array.of(9) }))
  assert.deepEqual(news().said, [])
  members.alive(aliveAs('self', 1, { meta: Uint8Array.of(9) }))
  assert.deepEqual(news().said, ['alive self 2'])
  members.alive(aliveAs('self', 7))
  assert.deepEqual([news().said, members.self.meta.length], [['alive self 8'], 0])
  members.announce({ addr: addr(1), port: 7946, vsn: VSN })
  assert.deepEqual(news().said, ['alive self 9'])
})

test('4096 nodes are remembered, further ones are not believed', () => {
  for (let n = members.size; n < 4100; n++)
    members.alive({ ...aliveAs('x', 1), node: `x${n}`, addr: Uint8Array.from([10, 1, n >> 8, n & 255]) })
  assert.equal(members.size, 4096)
  members.alive(aliveAs('b', 9))
  assert.equal(members.get('b')!.incarnation, 9)
})

test('health stays between well and worst; stopped, no suspicion ends', () => {
  members.changeHealth(-3)
  assert.equal(members.health, 0)
  members.changeHealth(99)
  assert.equal(members.health, FAST_LAN.awarenessMaxMultiplier - 1)
  suspect('b', 1)
  members.stop()
  clock.advance(100_000)
  assert.deepEqual([stateOf('b'), clock.armed], ['suspect', 0])
})
