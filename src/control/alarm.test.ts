import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../testing/fake-clock.ts'
import { Alarm } from './alarm.ts'

test('an alarm rings once at its time, the last one it was set to', () => {
  const clock = new FakeClock()
  let rung = 0
  const alarm = new Alarm(clock, () => rung++)
  alarm.set(100)
  alarm.set(200)
  clock.advance(199)
  assert.equal(rung, 0)
  clock.advance(1)
  assert.equal(rung, 1)
  alarm.set(150) // already past: at once
  clock.advance(0)
  assert.equal(rung, 2)
  alarm.set(300)
  alarm.set(undefined)
  clock.advance(1000)
  assert.deepEqual([rung, clock.armed], [2, 0])
})
