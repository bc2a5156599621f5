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
