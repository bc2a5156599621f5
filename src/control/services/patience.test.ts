/** Options that make the controller patient: D17 and D18. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { poolOf, ServiceWorld } from '../../testing/service-world.ts'

const p = poolOf('p', ['10.0.0.0/30'])
const q = poolOf('q', ['10.1.0.0/32'])

test('D17: a request that cannot be met costs the address by default', async () => {
  const world = await ServiceWorld.of([p])
  await world.put('B', { lbIP: '10.0.0.3' })
  await world.put('A')
  await world.put('A', { lbIP: '10.0.0.3' })
  world.shows({ A: '' })
})

test('D17: with the option the address stays until the other can be had', async () => {
  const world = await ServiceWorld.of([p, q], { keepUntilReplaced: true })
  await world.put('B', { lbIP: '10.0.0.3' })
  await world.put('A')
  await world.put('A', { lbIP: '10.0.0.3' })
  world.shows({ A: '10.0.0.0', B: '10.0.0.3' })
  world.said('A', 'Normal IPAllocated', 'Warning AllocationFailed')
  await world.remove('B')
  world.shows({ A: '10.0.0.3' })
  await world.put('A', { lbIP: '', pool: 'nosuch' })
  world.shows({ A: '10.0.0.3' })
  await world.put('A', { pool: 'q' })
  world.shows({ A: '10.1.0.0' })
})

test('D18: for a time without pools everything stays; pools that return change nothing', async () => {
  const world = await ServiceWorld.of([p], { noPoolsGraceMs: 60_000 })
  await world.put('A')
  await world.put('X')
  await world.pools()
  await world.put('A', { app: 'edited' })
  await world.put('B')
  world.clock.advance(59_999)
  await world.settle()
  world.shows({ A: '10.0.0.0', X: '10.0.0.1', B: '' })
  await world.remove('A')
  await world.pools(p)
  world.shows({ X: '10.0.0.1', B: '10.0.0.0' })
})

test('D18: when the time is up the addresses go', async () => {
  const world = await ServiceWorld.of([p], { noPoolsGraceMs: 60_000 })
  await world.put('A')
  await world.pools()
  world.clock.advance(60_000)
  await world.settle()
  world.shows({ A: '' })
  assert.ok(world.log.lines.some(({ fields }) => fields.event === 'noPools'))
})
