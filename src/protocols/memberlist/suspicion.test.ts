import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '../../ports/index.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { suspicionTimeoutMs } from './arithmetic.ts'
import { deadline } from './deadline.ts'
import { Suspicion } from './suspicion.ts'

const BOUNDS = { minMs: 1000, maxMs: 6000, k: 2 }

function running(bounds = BOUNDS) {
  const clock = new FakeClock()
  const fired: [atMs: number, confirmations: number][] = []
  const suspicion = new Suspicion(clock, bounds, 'a', confirmations => fired.push([clock.monotonic(), confirmations]))
  return { clock, fired, suspicion }
}

test('unconfirmed it lasts longest, and ends once', () => {
  const { clock, fired } = running()
  clock.advance(5999)
  assert.deepEqual(fired, [])
  clock.advance(20_000)
  assert.deepEqual(fired, [[6000, 0]])
})

test('each other accuser is news and shortens it; the first one, a repetition and more than k are none', () => {
  const { clock, fired, suspicion } = running()
  assert.deepEqual([suspicion.confirm('a'), suspicion.confirm('b'), suspicion.confirm('b')], [false, true, false])
  const oneMs = suspicionTimeoutMs(BOUNDS, 1)
  assert.ok(oneMs > 1000 && oneMs < 6000)
  clock.advance(oneMs - 1)
  assert.deepEqual(fired, [])
  clock.advance(1)
  assert.deepEqual(fired, [[oneMs, 1]])
  const full = running()
  assert.deepEqual(
    ['b', 'c', 'd'].map(name => full.suspicion.confirm(name)),
    [true, true, false],
  )
  full.clock.advance(1000)
  assert.deepEqual(full.fired, [[1000, 2]])
})

test('a confirmation that comes when the shorter time is over ends it at once, but never in the call', () => {
  const { clock, fired, suspicion } = running()
  clock.advance(3000)
  suspicion.confirm('b')
  suspicion.confirm('c')
  assert.deepEqual(fired, [])
  clock.advance(0)
  assert.deepEqual(fired, [[3000, 2]])
})

test('where nobody can confirm it takes the shortest time; cancelled it never ends', () => {
  const alone = running({ ...BOUNDS, k: 0 })
  assert.equal(alone.suspicion.confirm('b'), false)
  alone.clock.advance(1000)
  assert.deepEqual(alone.fired, [[1000, 0]])
  const { clock, fired, suspicion } = running()
  suspicion.confirm('b')
  suspicion.cancel()
  clock.advance(100_000)
  assert.deepEqual(fired, [])
})

/** Timers run so late, the first one and those after it. */
function lateClock(...lateMs: number[]): FakeClock & { real: Clock } {
  const clock = new FakeClock()
  const real: Clock = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after: (ms, callback) => clock.after(ms + (lateMs.shift() ?? 0), callback),
  }
  return Object.assign(clock, { real })
}

const LATE: [lateMs: number, firesAtMs: number][] = [
  [0, 100],
  [20, 120], // normal
  [21, 142], // the thread stood still: answers may wait unread
  [300, 700],
  [5000, 6100], // no longer than a second more
]
for (const [lateMs, firesAtMs] of LATE)
  test(`a deadline of 100 ms whose timer is ${lateMs} ms late is over after ${firesAtMs} ms`, () => {
    const clock = lateClock(lateMs)
    let at = 0
    deadline(clock.real, 100, () => {
      at = clock.monotonic()
    })
    clock.advance(firesAtMs - 1)
    assert.equal(at, 0)
    clock.advance(1)
    assert.equal(at, firesAtMs)
  })

test('a late deadline can still be cancelled', () => {
  const clock = lateClock(500)
  const timer = deadline(clock.real, 100, () => assert.fail('cancelled'))
  clock.advance(650)
  timer.cancel()
  clock.advance(10_000)
})
