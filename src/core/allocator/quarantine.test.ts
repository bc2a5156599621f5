import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aService } from '../../testing/layer2-world.ts'
import { poolOf } from '../../testing/service-world.ts'
import { parseAddress } from '../ip/index.ts'
import { Allocator, Refusal } from './index.ts'

const MINUTE = 60_000
const [zero, one] = ['10.0.0.0', '10.0.0.1'] as const

/** Two pools of one address each, both released just now: one rests for an hour, the other for a minute. */
function twoAtRest() {
  const time = { now: 0 }
  const allocator = new Allocator(() => time.now)
  allocator.setPools([
    poolOf('a', [`${zero}/32`], { quarantineMs: 60 * MINUTE }),
    poolOf('b', [`${one}/32`], { quarantineMs: MINUTE }),
  ])
  for (const [name, ip] of Object.entries({ x: zero, y: one })) {
    const service = aService({ name })
    assert.ok(!(allocator.assign(service, [parseAddress(ip)!]) instanceof Refusal))
    allocator.release(service.key)
  }
  return {
    time,
    allocator,
    isFree: (ip: string) => !(allocator.check(aService({ name: 'z' }), [parseAddress(ip)!]) instanceof Refusal),
  }
}

test('what several pools kept back ends in the order of its times where they become one', () => {
  const { time, allocator, isFree } = twoAtRest()
  allocator.setPools([poolOf('c', ['10.0.0.0/31'], { quarantineMs: 60 * MINUTE })])
  assert.equal(allocator.nextExpiry, MINUTE)
  time.now = MINUTE
  allocator.expire()
  assert.deepEqual([isFree(zero), isFree(one)], [false, true])
  assert.equal(allocator.nextExpiry, 60 * MINUTE)
  time.now = 60 * MINUTE
  allocator.expire()
  assert.deepEqual([isFree(zero), allocator.nextExpiry], [true, undefined])
})

test('a pool without quarantine keeps back nothing of those before it', () => {
  const { allocator, isFree } = twoAtRest()
  allocator.setPools([poolOf('c', ['10.0.0.0/31'])])
  assert.deepEqual([isFree(zero), isFree(one), allocator.nextExpiry], [true, true, undefined])
})
