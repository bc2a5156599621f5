import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ourSettings, theirOpen } from '../../../testing/bgp-settings.ts'
import { BgpError } from '../errors.ts'
import type { Message } from '../message/index.ts'
import { agree } from '../negotiation.ts'
import { cease } from '../notification.ts'
import { describeClose, type Effect, type Event, STOPPED, type State, step, type TimerName } from './index.ts'

const settings = ourSettings({ families: ['ipv4'] })
const answer = theirOpen({ families: ['ipv4'], holdMs: 30_000 })
const agreed = agree(settings, answer)

const states = {
  stopped: STOPPED,
  resting: { at: 'idle', failures: 2, resting: true },
  connect: { at: 'connect', failures: 2 },
  active: { at: 'active', failures: 2 },
  'open sent': { at: 'open sent', failures: 2 },
  'open confirm': { at: 'open confirm', failures: 2, agreed },
  established: { at: 'established', failures: 2, agreed },
} satisfies Record<string, State>

const events = {
  start: { kind: 'start' },
  stop: { kind: 'stop', notification: cease('administrative shutdown') },
  'connect retry expired': { kind: 'connect retry expired' },
  'hold expired': { kind: 'hold expired' },
  'keepalive expired': { kind: 'keepalive expired' },
  'idle hold expired': { kind: 'idle hold expired' },
  'send hold expired': { kind: 'send hold expired' },
  'stable expired': { kind: 'stable expired' },
  connected: { kind: 'connected' },
  disconnected: { kind: 'disconnected', message: 'connection reset' },
  open: { kind: 'open', open: answer },
  'bad open': { kind: 'open', open: { ...answer, holdTime: 2 } },
  malformed: { kind: 'malformed', error: new BgpError('BAD_MESSAGE_TYPE', 'type 9', Uint8Array.of(9)) },
  'collision lost': { kind: 'collision lost' },
  notification: { kind: 'notification', notification: cease('administrative reset') },
  keepalive: { kind: 'keepalive' },
  update: { kind: 'update' },
  'route refresh': { kind: 'route refresh', refresh: { kind: 'route refresh', afi: 1, safi: 1, subtype: 0 } },
  'liveness lost': { kind: 'liveness lost' },
  'liveness found': { kind: 'liveness found' },
  reconfigured: { kind: 'reconfigured' },
} satisfies Record<string, Event>

/** Next state and what is sent: a message, or code/subcode. `.` is: nothing changes, nothing is sent. */
const table: Record<keyof typeof events, Record<keyof typeof states, string>> = {
  // prettier-ignore
  start: row('connect', 'connect', '.', '.', '.', '.', '.'),
  stop: row('stopped', 'stopped', 'stopped', 'stopped', 'stopped 6/2', 'stopped 6/2', 'stopped 6/2'),
  'connect retry expired': row('.', '.', 'connect', 'connect', '.', '.', '.'),
  'hold expired': row('.', '.', 'resting', 'resting', 'resting 4/0', 'resting 4/0', 'resting 4/0'),
  'keepalive expired': row('.', '.', 'resting', 'resting', '.', 'open confirm keepalive', 'established keepalive'),
  'idle hold expired': row('.', 'connect', 'resting', 'resting', '.', '.', '.'),
  'send hold expired': row('.', '.', 'resting', 'resting', 'resting 8/0', 'resting 8/0', 'resting 8/0'),
  'stable expired': row('.', '.', 'resting', 'resting', '.', '.', 'established'),
  connected: row('.', '.', 'open sent open', 'open sent open', '.', '.', '.'),
  disconnected: row('.', '.', 'resting', 'resting', 'resting', 'resting', 'resting'),
  open: row('.', '.', 'resting', 'resting', 'open confirm keepalive', 'resting 5/2', 'resting 5/3'),
  'bad open': row('.', '.', 'resting', 'resting', 'resting 2/6', 'resting 5/2', 'resting 5/3'),
  malformed: row('.', '.', 'resting', 'resting', 'resting 1/3', 'resting 1/3', 'resting 1/3'),
  'collision lost': row('.', '.', 'resting', 'resting', 'resting 6/7', 'resting 6/7', 'resting 6/7'),
  notification: row('.', '.', 'resting', 'resting', 'resting', 'resting', 'resting'),
  keepalive: row('.', '.', 'resting', 'resting', 'resting 5/1', 'established', 'established'),
  update: row('.', '.', 'resting', 'resting', 'resting 5/1', 'resting 5/2', 'established'),
  'route refresh': row('.', '.', 'resting', 'resting', 'resting 5/1', 'resting 5/2', '.'),
  'liveness lost': row('.', '.', '.', '.', 'resting 6/10', 'resting 6/10', 'resting 6/10'),
  'liveness found': row('.', 'connect', 'connect', 'connect', '.', '.', '.'),
  reconfigured: row('.', 'connect', 'connect', 'connect', '.', '.', '.'),
}

test('a keepalive time that has changed counts from now, another change does not touch its timer', () => {
  for (const at of ['open confirm', 'established'] as const) {
    const [next, effects] = step(states[at], events.reconfigured, { ...settings, keepaliveMs: 3000 })
    assert.deepEqual(effects, [{ kind: 'arm', timer: 'keepalive', ms: 3000 }])
    assert.equal('agreed' in next && next.agreed.keepaliveMs, 3000)
    assert.deepEqual(step(states[at], events.reconfigured, settings), [states[at], []])
  }
})

test('a dial with old settings is given up, and one that may not dial any more waits', () => {
  const [, redialled] = step(states.connect, events.reconfigured, settings)
  assert.deepEqual(
    redialled.map(({ kind }) => kind),
    ['drop', 'cancel', 'dial', 'arm'],
  ) // prettier-ignore
  const [next, effects] = step(states.connect, events.reconfigured, { ...settings, passive: true, listens: true })
  assert.deepEqual([next.at, effects.map(({ kind }) => kind)], ['active', ['drop', 'cancel']])
})

test('every failure makes the next wait longer, one that BFD noticed does not', () => {
  const failures = (event: Event) => step(states.established, event, settings)[0].failures
  const { failures: before } = states.established
  assert.deepEqual([failures(events.disconnected), failures(events['liveness lost'])], [before + 1, before])
})

function row(...cells: string[]): Record<keyof typeof states, string> {
  const names = Object.keys(states) as (keyof typeof states)[]
  assert.equal(cells.length, names.length)
  return Object.fromEntries(names.map((name, index) => [name, cells[index]!])) as Record<keyof typeof states, string>
}

for (const [eventName, cells] of Object.entries(table))
  for (const [stateName, expected] of Object.entries(cells))
    test(`${eventName} in ${stateName}: ${expected}`, () => {
      const state: State = states[stateName as keyof typeof states]
      const [next, effects] = step(state, events[eventName as keyof typeof events], settings)
      const sent = messages(effects).map(label)
      const outcome = [nameOf(next), ...sent].join(' ')
      if (expected === '.') {
        assert.deepEqual(next, state)
        assert.deepEqual(sent, [])
      } else assert.equal(outcome, expected)
      checkInvariants(state, next, effects)
    })

function nameOf(state: State): string {
  return state.at === 'idle' ? (state.resting ? 'resting' : 'stopped') : state.at
}

function messages(effects: readonly Effect[]): Message[] {
  return effects.filter(effect => effect.kind === 'send').map(effect => effect.message)
}

function label(message: Message): string {
  return message.kind === 'notification' ? `${message.code}/${message.subcode}` : message.kind
}

/** What is true of every step. */
function checkInvariants(before: State, next: State, effects: readonly Effect[]): void {
  const kinds = effects.map(effect => effect.kind)
  const armed = effects.filter(effect => effect.kind === 'arm').map(effect => effect.timer)
  const leftEstablished = before.at === 'established' && next.at !== 'established'
  assert.equal(
    effects.some(effect => effect.kind === 'closed' && effect.established),
    leftEstablished,
    'the end of a session is told, once',
  )
  const hadConnection = ['open sent', 'open confirm', 'established'].includes(before.at)
  if (next.at === 'idle' && hadConnection) assert.ok(kinds.includes('drop'), 'Idle has no connection')
  if (next.at !== before.at && !(before.at === 'open confirm' && next.at === 'established'))
    assert.ok(kinds.includes('cancel') || before.at === 'active', 'no timer outlives its state')
  assert.equal(armed.includes('idle hold'), next.at === 'idle' && next.resting && before.at !== 'idle')
  if (kinds.includes('dial')) assert.deepEqual([next.at, armed], ['connect', ['connect retry']])
  assert.ok(messages(effects).length <= 1)
}

test('every event and every state is in the table', () => {
  assert.deepEqual(Object.keys(table).sort(), Object.keys(events).sort())
})

test('a passive session waits, and dials never', () => {
  const passive = { ...settings, passive: true, listens: true }
  const [state, effects] = step(STOPPED, events.start, passive)
  assert.deepEqual([state.at, timers(effects)], ['active', {}])
  const [after, failed] = step(states['open sent'], events.disconnected, passive)
  assert.deepEqual([after.at, timers(failed)], ['active', {}])
})

test('with a listener a failed attempt waits where the peer may come', () => {
  const [state, effects] = step(states.connect, events.disconnected, { ...settings, listens: true })
  assert.deepEqual([state, timers(effects)], [{ at: 'active', failures: 3 }, { 'connect retry': 2000 }])
})

test('35: pauses grow with failures in a row, and a stable session ends the row', () => {
  let state: State = { at: 'connect', failures: 0 }
  const pauses: unknown[] = []
  for (let attempt = 0; attempt < 4; attempt++) {
    const [resting, effects] = step(state, events.disconnected, settings)
    pauses.push(timers(effects)['idle hold'])
    state = step(resting, events['idle hold expired'], settings)[0]
  }
  assert.deepEqual(pauses, [0, 1000, 2000, 4000])
  const lost = (from: State) => timers(step(from, events.disconnected, settings)[1])['idle hold']
  assert.equal(lost({ at: 'established', failures: 3, agreed }), 4000)
  const stable = step({ at: 'established', failures: 3, agreed }, events['stable expired'], settings)[0]
  assert.equal(lost(stable), 0)
})

test('31: the smaller hold time counts, and a third of it is the keepalive', () => {
  const [, effects] = step(states['open sent'], events.open, settings)
  assert.deepEqual(timers(effects), { hold: 30_000, keepalive: 10_000 })
})

test('31: without a hold time nothing is timed', () => {
  const [state, effects] = step(states['open sent'], { kind: 'open', open: { ...answer, holdTime: 0 } }, settings)
  assert.deepEqual(timers(effects), {})
  const [up, atUp] = step(state, events.keepalive, settings)
  assert.deepEqual(timers(atUp), { stable: 30_000 })
  assert.deepEqual(step(up, events.update, settings)[1], [])
})

test('a session that is stopped to come back says nothing to the peer', () => {
  const [state, effects] = step(states.established, { kind: 'stop' }, settings)
  assert.deepEqual(state, STOPPED)
  assert.deepEqual(
    effects.map(effect => effect.kind),
    ['drop', 'cancel', 'closed'],
  )
})

test('the end is told in words', () => {
  const words = (event: Event) => {
    const closed = step(states.established, event, settings)[1].find(effect => effect.kind === 'closed')
    return closed && describeClose(closed.reason)
  }
  assert.equal(words(events.notification), 'got BGP notification code 0x0604 (Administrative Reset)')
  assert.equal(
    words(events['hold expired']),
    'sent BGP notification code 0x0400 (Hold Timer Expired (unspecific)): nothing heard within the hold time',
  )
  assert.equal(words(events.disconnected), 'connection reset')
  assert.equal(words(events['liveness lost']), 'BFD session down')
  assert.equal(words(events.stop), 'stopped')
})

function timers(effects: readonly Effect[]): Partial<Record<TimerName, number>> {
  return Object.fromEntries(effects.filter(effect => effect.kind === 'arm').map(({ timer, ms }) => [timer, ms]))
}
