import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Watchdog } from './watchdog.ts'

test('a main thread that gives no sign for ten seconds is dead, one that was late is not', () => {
  let pulse = 0
  const watchdog = new Watchdog(() => pulse)
  const run = (fromMs: number, toMs: number) => {
    for (let now = fromMs; now <= toMs; now += 50) if (watchdog.isDead(now)) return now
    return 'alive'
  }
  assert.equal(run(100_000, 109_900), 'alive')
  pulse++
  assert.equal(run(109_950, 119_900), 'alive')
  assert.equal(run(119_950, 130_000), 119_950)
})

test('a process that was stopped for an hour is not dead', () => {
  const watchdog = new Watchdog(() => 0)
  assert.equal(watchdog.isDead(0), false)
  assert.equal(watchdog.isDead(3_600_000), false)
})
