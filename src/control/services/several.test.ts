/** Several addresses of one family: `metallb.io/addresses-per-family`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DUAL, poolOf, ServiceWorld } from '../../testing/service-world.ts'

const asks = (count: string) => ({ annotations: { 'metallb.io/addresses-per-family': count } })
const p = poolOf('p', ['10.0.0.0/29', 'fd00::/126'])

test('so many of each family, kept over events and a restart; fewer when fewer are asked for', async () => {
  const world = await ServiceWorld.of([p])
  await world.put('A', asks('3'))
  world.shows({ A: '10.0.0.0 10.0.0.1 10.0.0.2' })
  const { writes } = world
  await world.put('A', { ...asks('3'), app: 'x' })
  assert.equal(world.writes, writes)
  await world.put('B', { ...asks('2'), cluster: DUAL, policy: 'PreferDualStack' })
  world.shows({ B: '10.0.0.3 fd00:: 10.0.0.4 fd00::1' })
  world.controller.setActive(false)
  world.controller.setActive(true)
  await world.settle()
  assert.equal(world.controller.usage('p')!.assigned.ipv4, 5n)
  world.shows({ A: '10.0.0.0 10.0.0.1 10.0.0.2', B: '10.0.0.3 fd00:: 10.0.0.4 fd00::1' })
  await world.put('A', asks('2'))
  world.shows({ A: '10.0.0.0 10.0.0.1' })
  await world.put('A', { annotations: {} })
  world.shows({ A: '10.0.0.0' })
})

test('a pool that has not as many gives what it has; what becomes free is added', async () => {
  const world = await ServiceWorld.of([poolOf('p', ['10.0.0.0/31'])])
  await world.put('X')
  await world.put('A', asks('2'))
  world.shows({ A: '10.0.0.1' })
  world.said(
    'A',
    'Normal IPAllocated',
    'Normal AdditionalAssignFailed cannot assign as many addresses as asked for: no',
  )
  assert.equal(world.resource('A').status!.conditions![0]!.reason, 'AdditionalAssignFailed')
  await world.remove('X')
  world.shows({ A: '10.0.0.1 10.0.0.0' })
})

test('what is no number from 1 to 8, or beside named addresses, asks for one', async () => {
  const world = await ServiceWorld.of([p])
  for (const [name, count] of Object.entries({ A: '0', B: '9', C: 'many' })) await world.put(name, asks(count))
  await world.put('D', { ...asks('2'), lbIP: '10.0.0.7' })
  world.shows({ A: '10.0.0.0', B: '10.0.0.1', C: '10.0.0.2', D: '10.0.0.7' })
})
