import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type IPAddressPoolResource, ipAddressPools } from '../../api/index.ts'
import { KubeError } from '../../ports/index.ts'
import { poolOf, ServiceWorld } from '../../testing/service-world.ts'
import { PoolStatusController } from './index.ts'

const NAMESPACE = 'metallb-system'

class StatusWorld {
  readonly world: ServiceWorld
  readonly status: PoolStatusController

  constructor(active = true) {
    this.world = new ServiceWorld({ active })
    const { kube, metrics, clock, log, controller } = this.world
    const pools = kube.informer(ipAddressPools)
    this.status = new PoolStatusController({ pools, api: kube, usage: controller, metrics, clock, log })
    this.status.start()
  }

  /** The objects and the configuration at once. */
  async pools(pools: Record<string, string[]>): Promise<void> {
    for (const [name, addresses] of Object.entries(pools))
      this.world.kube.put(ipAddressPools, { metadata: { namespace: NAMESPACE, name }, spec: { addresses } })
    await this.world.pools(...Object.entries(pools).map(([name, addresses]) => poolOf(name, addresses)))
  }

  async shown(name: string): Promise<IPAddressPoolResource['status']> {
    this.world.clock.advance(1000)
    await this.status.whenIdle()
    return this.world.kube.peek(ipAddressPools, { namespace: NAMESPACE, name })?.status
  }

  gauge(name: string, pool: string): number | undefined {
    return this.world.metrics.series.get(`metallb_allocator_${name}{pool="${pool}"}`)
  }

  get writes(): number {
    return this.world.kube.calls.filter(call => call.startsWith('replace/status ipaddresspools')).length
  }
}

const zeros = { assignedIPv4: 0, assignedIPv6: 0, availableIPv4: 0, availableIPv6: 0 }

test('example 132: a full pool in gauges and status, in one write', async () => {
  const world = new StatusWorld()
  await world.pools({ p: ['192.168.1.0/30'] })
  for (const name of 'ABCD') await world.world.put(name)
  assert.deepEqual(await world.shown('p'), { ...zeros, assignedIPv4: 4 })
  assert.equal(world.writes, 1)
  const gauges = ['addresses_total', 'ipv4_addresses_total', 'ipv6_addresses_total', 'addresses_in_use_total']
  assert.deepEqual(
    gauges.map(name => world.gauge(name, 'p')),
    [4, 4, 0, 4],
  )
  assert.equal(world.gauge('services_allocated_total', 'p'), 4) // D12
})

test('example 133: a shared address counts once', async () => {
  const world = new StatusWorld()
  await world.pools({ p: ['10.0.0.1-10.0.0.4'] })
  await world.world.put('A', { key: 'k' })
  await world.world.put('B', { key: 'k', ports: ['TCP/443'] })
  for (const services of [2, 1]) {
    assert.deepEqual(await world.shown('p'), { ...zeros, assignedIPv4: 1, availableIPv4: 3 })
    assert.equal(world.gauge('addresses_in_use_total', 'p'), 1)
    assert.equal(world.gauge('services_allocated_total', 'p'), services)
    await world.world.remove('A')
  }
})

test('examples 134-135: the largest count is exact and does not depend on the order (D11)', async () => {
  const world = new StatusWorld()
  await world.pools({ a: ['10.0.0.0/24', 'fd00::/64'], b: ['fd01::/64', '10.0.1.0/24'] })
  for (const name of ['a', 'b']) {
    const expected = { ...zeros, availableIPv4: 256, availableIPv6: 9223372036854775807n }
    assert.deepEqual(await world.shown(name), expected)
    assert.equal(world.gauge('addresses_total', name), Number(9223372036854775807n))
  }
  assert.equal(world.writes, 2)
})

test('example 136: an edited status is put right', async () => {
  const world = new StatusWorld()
  await world.pools({ p: ['10.0.0.0/24'] })
  await world.shown('p')
  const metadata = { namespace: NAMESPACE, name: 'p' }
  world.world.kube.put(ipAddressPools, {
    metadata,
    spec: { addresses: ['10.0.0.0/24'] },
    status: { ...zeros, assignedIPv4: 7 },
  })
  assert.deepEqual(await world.shown('p'), { ...zeros, availableIPv4: 256 })
})

test('a count that was read as a float does not make us write for ever', async () => {
  const world = new StatusWorld()
  await world.pools({ p: ['fd00::/64'] })
  const status = { ...zeros, availableIPv6: Number(9223372036854775807n) }
  world.world.kube.put(ipAddressPools, {
    metadata: { namespace: NAMESPACE, name: 'p' },
    spec: { addresses: [] },
    status,
  })
  assert.deepEqual(await world.shown('p'), status)
  assert.equal(world.writes, 0)
})

test('a pool that is not in force has zeros, one that is gone has no series', async () => {
  const world = new StatusWorld()
  world.world.kube.put(ipAddressPools, { metadata: { namespace: NAMESPACE, name: 'bad' }, spec: { addresses: ['x'] } })
  assert.equal(await world.shown('bad'), undefined) // nothing is known yet
  await world.pools({ p: ['10.0.0.0/24'] })
  assert.deepEqual(await world.shown('bad'), zeros)
  assert.equal(world.gauge('addresses_total', 'bad'), undefined)
  assert.equal(world.gauge('addresses_total', 'p'), 256)
  await world.world.pools()
  assert.equal(world.gauge('addresses_total', 'p'), undefined)
})

test('a failed write is repeated', async () => {
  const world = new StatusWorld()
  await world.pools({ p: ['10.0.0.0/24'] })
  world.world.kube.fail = () => {
    throw new KubeError('SERVER', 'down')
  }
  assert.equal(await world.shown('p'), undefined)
  world.world.kube.fail = () => {}
  assert.deepEqual(await world.shown('p'), { ...zeros, availableIPv4: 256 })
})

test('who does not decide says nothing, and takes back what it said', async () => {
  const world = new StatusWorld(false)
  await world.pools({ p: ['10.0.0.0/24'] })
  assert.equal(await world.shown('p'), undefined)
  assert.equal(world.gauge('addresses_total', 'p'), undefined)
  world.world.controller.setActive(true)
  await world.world.settle()
  assert.deepEqual(await world.shown('p'), { ...zeros, availableIPv4: 256 })
  assert.equal(world.gauge('addresses_total', 'p'), 256)
  world.world.controller.setActive(false)
  assert.equal(world.gauge('addresses_total', 'p'), undefined)
})

test('a pool that is deleted while its status is written is no failure', async () => {
  const world = new StatusWorld()
  await world.pools({ p: ['10.0.0.0/24'] })
  world.world.kube.fail = (_verb, type, ref) => {
    if (type === ipAddressPools) world.world.kube.remove(type, { name: '', ...ref })
  }
  assert.equal(await world.shown('p'), undefined)
  assert.deepEqual(
    world.world.log.lines.filter(({ level }) => level === 'error'),
    [],
  )
})
