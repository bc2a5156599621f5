import assert from 'node:assert/strict'
import { test } from 'node:test'
import { services } from '../../api/index.ts'
import { poolOf, ServiceWorld } from '../../testing/service-world.ts'

const conditionsOf = (world: ServiceWorld, name: string) =>
  (world.resource(name).status?.conditions ?? []).map(({ lastTransitionTime: _, ...rest }) => rest)
const TYPE = 'metallb.io/AddressAllocated'
const one = poolOf('p', ['10.0.0.1/32'])
const FULL = 'no available IPs (IPAddressPool metallb-system/p: exhausted (1/1 ipv4 addresses in use))'

test('the condition follows the Service: pending with every reason, then allocated, each once', async () => {
  const world = await ServiceWorld.of([one])
  await world.put('A')
  await world.put('B')
  assert.deepEqual(conditionsOf(world, 'A'), [
    { type: TYPE, status: 'True', reason: 'Allocated', message: 'holds 10.0.0.1 from pool p' },
  ])
  assert.deepEqual(conditionsOf(world, 'B'), [
    { type: TYPE, status: 'False', reason: 'AllocationFailed', message: FULL },
  ])
  assert.ok(world.log.lines.some(({ fields }) => fields.op === 'allocateIPs' && fields.error === FULL))
  const since = world.resource('B').status!.conditions![0]!.lastTransitionTime
  world.clock.advance(60_000)
  const { writes } = world
  await world.put('B', { app: 'other' })
  assert.equal(world.writes, writes)
  await world.remove('A')
  assert.equal(conditionsOf(world, 'B')[0]!.status, 'True')
  assert.notEqual(world.resource('B').status!.conditions![0]!.lastTransitionTime, since)
})

test('conditions of others stay; no LoadBalancer, no condition', async () => {
  const world = await ServiceWorld.of([one])
  await world.put('A')
  const { metadata, spec, status } = world.resource('A')
  const foreign = { type: 'x/Y', status: 'True', reason: 'R', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }
  world.kube.put(services, { metadata, spec, status: { ...status, conditions: [foreign, ...status!.conditions!] } })
  await world.put('A', { type: 'ClusterIP' })
  assert.deepEqual(world.resource('A').status?.conditions, [foreign])
})

test('a Service that has its address already is not written for the condition alone', async () => {
  const world = await ServiceWorld.of([one])
  await world.put('A', {
    status: [{ ip: '10.0.0.1' }],
    annotations: { 'metallb.io/ip-allocated-from-pool': 'p' },
  })
  assert.equal(world.writes, 0)
})

test('a pool that changes its refusal changes the message, not the time', async () => {
  const world = await ServiceWorld.of([one])
  await world.put('A')
  await world.put('B')
  const before = world.resource('B').status!.conditions![0]!
  world.clock.advance(60_000)
  await world.pools(one, poolOf('q', ['10.1.0.0/24'], { autoAssign: false }))
  const after = world.resource('B').status!.conditions![0]!
  assert.match(after.message, /q spec.autoAssign: not used for automatic assignment/)
  assert.equal(after.lastTransitionTime, before.lastTransitionTime)
})

test('without conditions nothing is said in the status', async () => {
  const world = await ServiceWorld.of([one], { conditions: false })
  await world.put('A')
  await world.put('B')
  assert.deepEqual([conditionsOf(world, 'A'), conditionsOf(world, 'B')], [[], []])
})
