import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../testing/fake-clock.ts'
import { HoldDown } from './hold-down.ts'

const PERIOD_MS = 60_000

/** It is cut off, and sees the others again. */
function disturb(holdDown: HoldDown): void {
  for (const count of [3, 1, 3]) holdDown.sees(count)
}

function subject() {
  const clock = new FakeClock()
  let changes = 0
  const holdDown = new HoldDown(PERIOD_MS, clock, () => changes++)
  const words = () =>
    Object.entries(holdDown.hold)
      .flatMap(([word, is]) => (is ? [word] : []))
      .join() // prettier-ignore
  /** How long it is held from now on, in periods. */
  const heldFor = () => {
    let periods = 0
    for (; holdDown.hold.held; periods++) clock.advance(PERIOD_MS)
    return periods
  }
  return { clock, holdDown, words, heldFor, changes: () => changes }
}

test('where all start together nobody is held, and all settle', () => {
  const { clock, holdDown, words, changes } = subject()
  holdDown.joined(false)
  assert.equal(words(), '')
  clock.advance(PERIOD_MS - 1)
  assert.deepEqual([words(), changes()], ['', 0])
  clock.advance(1)
  assert.deepEqual([words(), changes()], ['settled', 1])
})

test('who comes to settled ones is held for the time', () => {
  const { clock, holdDown, words, changes } = subject()
  holdDown.joined(true)
  assert.deepEqual([words(), changes()], ['held', 1])
  clock.advance(PERIOD_MS - 1)
  holdDown.joined(true) // a second join, as after a partition, does not begin anew
  assert.equal(words(), 'held')
  clock.advance(1)
  assert.deepEqual([words(), changes()], ['settled', 2])
  holdDown.joined(true)
  assert.equal(words(), 'settled')
})

test('a disturbance holds down, one soon after another for twice as long, up to eight times', () => {
  const { holdDown, heldFor } = subject()
  holdDown.joined(true)
  heldFor()
  const times = [1, 2, 3, 4, 5].map(() => {
    disturb(holdDown)
    return heldFor()
  })
  assert.deepEqual(times, [2, 4, 8, 8, 8])
})

test('after a long quiet time all is forgotten', () => {
  const { clock, holdDown, heldFor } = subject()
  holdDown.joined(false)
  clock.advance(9 * PERIOD_MS)
  disturb(holdDown)
  assert.equal(heldFor(), 1)
  clock.advance(7 * PERIOD_MS)
  disturb(holdDown)
  assert.equal(heldFor(), 2)
  clock.advance(9 * PERIOD_MS)
  disturb(holdDown)
  assert.equal(heldFor(), 1)
})

test('a disturbance while held begins the time anew', () => {
  const { clock, holdDown, heldFor } = subject()
  holdDown.joined(true)
  clock.advance(PERIOD_MS / 2)
  disturb(holdDown)
  assert.equal(heldFor(), 2)
})

test('stopped, nothing changes any more', () => {
  const { clock, holdDown, words, changes } = subject()
  holdDown.joined(true)
  holdDown.stop()
  clock.advance(10 * PERIOD_MS)
  assert.deepEqual([words(), changes()], ['held', 1])
})

test('what disturbs: to see others after nobody, to have a lost interface again', () => {
  const { clock, holdDown, words } = subject()
  holdDown.joined(false)
  clock.advance(PERIOD_MS)
  for (const count of [1, 3, 2, 3]) holdDown.sees(count)
  for (const names of [['eth0'], ['eth0', 'eth1'], ['eth0']]) holdDown.uses(names)
  assert.equal(words(), 'settled')
  holdDown.uses(['eth0', 'eth2'])
  assert.equal(words(), 'settled')
  holdDown.uses(['eth0', 'eth1', 'eth2'])
  assert.equal(words(), 'held')
  clock.advance(PERIOD_MS)
  clock.advance(PERIOD_MS)
  assert.equal(words(), 'settled')
  holdDown.sees(1)
  assert.equal(words(), 'settled', 'alone it goes on')
  holdDown.sees(2)
  assert.equal(words(), 'held')
})
