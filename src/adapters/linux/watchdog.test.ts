import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Watchdog } from './watchdog.ts'

test('a main thread that gives no sign for ten seconds is dead, one that was late is not', () => {
  let pulse = 0
  const watchdog = new Watchdog(
    () => pulse,
    () => false,
  )
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
  const watchdog = new Watchdog(
    () => 0,
    () => false,
  )
  assert.equal(watchdog.isDead(0), false)
  assert.equal(watchdog.isDead(3_600_000), false)
})

test('one that can be debugged is not dead, and is looked at again ten seconds later', () => {
  let inspected = true
  let asked = 0
  const watchdog = new Watchdog(
    () => 0,
    () => {
      asked++
      return inspected
    },
  )
  for (let now = 0; now <= 35_000; now += 50) assert.equal(watchdog.isDead(now), false)
  assert.equal(asked, 3)
  inspected = false
  for (let now = 35_050; now < 40_000; now += 50) assert.equal(watchdog.isDead(now), false)
  assert.equal(watchdog.isDead(40_000), true)
})
