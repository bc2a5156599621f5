import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ServiceResource, services } from '../../api/index.ts'
import { formatAddress } from '../../core/ip/index.ts'
import { type Change, KubeError } from '../../ports/index.ts'
import { FakeKube } from '../../testing/fake-kube.ts'
import { poolOf, ServiceWorld } from '../../testing/service-world.ts'

const p24 = poolOf('p', ['10.0.0.0/24'])
const names = 'ABCDEFGH'

test('a restart keeps every address and writes nothing', async () => {
  const first = await ServiceWorld.of([p24])
  for (const name of names) await first.put(name, name === 'H' ? { lbIP: '10.0.0.77' } : {})
  for (const name of 'BDF') await first.remove(name)
  await first.controller.stop()
  const before = [...'ACEGH'].map(name => first.ips(name))
  const { writes } = first

  const second = await ServiceWorld.of([p24], { kube: first.kube })
  assert.deepEqual(
    [...'ACEGH'].map(name => second.ips(name)),
    before,
  )
  assert.equal(second.writes, writes)
  await second.put('N', { created: '2020-01-01T00:00:00Z' })
  second.shows({ N: '10.0.0.1' })
})

test('the gate: nothing is decided without pools, nor while the API cannot be listed', async () => {
  const world = new ServiceWorld()
  world.write('A', { status: [] })
  world.kube.fail = verb => {
    if (verb === 'list') throw new KubeError('SERVER', 'down')
  }
  await world.pools(p24)
  world.shows({ A: '' })
  assert.equal(world.controller.ready(), 'learning the addresses in use')
  assert.equal(world.controller.settled, false)
  world.kube.fail = () => {}
  world.clock.advance(5)
  await world.settle()
  world.shows({ A: '10.0.0.0' })
  assert.equal(world.controller.ready(), true)
})

test('a status conflict is retried with what the cache shows by then', async () => {
  const world = await ServiceWorld.of([p24])
  let once = true
  world.kube.fail = verb => {
    if (verb !== 'replace/status' || !once) return
    once = false
    world.write('A', { app: 'edited' }) // somebody is faster: our write meets CONFLICT
  }
  await world.put('A')
  world.clock.advance(5)
  await world.settle()
  world.shows({ A: '10.0.0.0' })
  assert.equal(world.resource('A').metadata.labels?.app, 'edited')
})

test('a Service whose write failed keeps what it was given, though a lower address is free by then (D2)', async () => {
  const world = await ServiceWorld.of([p24])
  await world.put('A')
  world.kube.fail = verb => {
    if (verb === 'replace/status') throw new KubeError('SERVER', 'down')
  }
  await world.put('B')
  world.kube.fail = () => {}
  await world.remove('A')
  world.clock.advance(5)
  await world.settle()
  world.shows({ B: '10.0.0.1' })
})

test('while the API fails nobody gets two addresses and nobody shares one', async () => {
  const world = await ServiceWorld.of([p24])
  world.kube.fail = () => {
    throw new KubeError('NETWORK', 'unreachable')
  }
  for (const name of names) await world.put(name)
  world.kube.fail = () => {}
  await world.clock.advanceAsync(60_000, 1000)
  await world.settle()
  assert.deepEqual(
    [...names].map(name => world.ips(name)),
    [...names].map((_, index) => `10.0.0.${index}`),
  )
  assert.equal(world.controller.usage('p')!.assigned.ipv4, 8n)
})

test('hand-over: the standby is warm and silent, then learns what the other one did', async () => {
  const kube = new FakeKube()
  const first = await ServiceWorld.of([p24], { kube })
  const second = await ServiceWorld.of([p24], { kube, active: false })
  for (const name of names) await first.put(name)
  await second.settle()
  assert.equal(second.controller.ready(), true)
  assert.equal(second.controller.settled, false)
  assert.equal(second.controller.usage('p'), undefined)
  second.said('A')

  first.controller.setActive(false)
  const { writes } = first
  first.write('N')
  await first.settle()
  assert.equal(first.writes, writes)
  assert.equal(first.controller.usage('p'), undefined)

  second.controller.setActive(true)
  await second.settle()
  second.shows({ A: '10.0.0.0', H: '10.0.0.7', N: '10.0.0.8' })
  assert.equal(second.controller.usage('p')!.services, 9)
  second.said('A')
})

/** An informer that shows nothing new until the test lets it. */
class LaggingKube extends FakeKube {
  #release: (() => void)[] = []
  #shown = new Map<string, ServiceResource>()
  lag = false

  override informer<T extends Parameters<FakeKube['put']>[1]>(type: Parameters<FakeKube['put']>[0]) {
    const inner = super.informer<T>(type as never)
    const shown = this.#shown as unknown as Map<string, T>
    const key = ({ namespace, name }: { namespace?: string; name: string }) => `${namespace}/${name}`
    return {
      ...inner,
      get: (ref: { namespace?: string; name: string }) => shown.get(key(ref)),
      list: () => [...shown.values()],
      subscribe: (listener: (change: Change<T>) => void) =>
        inner.subscribe(change => {
          const show = () => {
            if (change.kind === 'deleted') shown.delete(key(change.object.metadata))
            else shown.set(key(change.object.metadata), change.object)
            listener(change)
          }
          if (this.lag) this.#release.push(show)
          else show()
        }),
    }
  }

  catchUp(): void {
    this.lag = false
    for (const show of this.#release.splice(0)) show()
  }
}

test('a cache that has not seen our write moves nobody and causes no conflict (D2, example 139)', async () => {
  const kube = new LaggingKube()
  const world = await ServiceWorld.of([poolOf('p', ['10.0.0.1-10.0.0.3'])], { kube })
  await world.put('A')
  await world.put('X')
  await world.remove('X')
  world.write('B')
  kube.lag = true
  await world.settle()
  assert.equal(world.ips('B'), '10.0.0.2')
  kube.lag = false
  await world.remove('A')
  const { writes } = world
  world.controller.setPools([poolOf('p', ['10.0.0.1-10.0.0.4'])]) // B is looked at again, from the cache without status
  await world.settle()
  assert.equal(world.ips('B'), '10.0.0.2')
  assert.equal(world.writes, writes)
  kube.catchUp()
  await world.settle()
  world.shows({ B: '10.0.0.2' })
  assert.equal(world.writes, writes)
})

test('a new leader with an old cache does not give away what the old one just gave', async () => {
  const kube = new LaggingKube()
  const world = await ServiceWorld.of([p24], { kube, active: false })
  world.write('Y')
  kube.lag = true
  const status = { loadBalancer: { ingress: [{ ip: '10.0.0.0' }] } }
  await kube.replace(services, { ...world.resource('Y'), status }, 'status')
  world.controller.setActive(true)
  await world.settle()
  kube.lag = false
  await world.put('X')
  kube.catchUp()
  await world.settle()
  world.shows({ X: '10.0.0.1', Y: '10.0.0.0' })
  world.said('Y')
})

test('no two Services ever show one address, not even for a moment', async () => {
  const world = await ServiceWorld.of([poolOf('p', ['10.0.0.0-10.0.0.3'])])
  const seen: string[] = []
  world.kube.informer(services).subscribe(() => {
    const shown = world.kube
      .informer(services)
      .list()
      .flatMap(({ status }) => status?.loadBalancer?.ingress ?? [])
    if (new Set(shown.map(({ ip }) => ip)).size < shown.length) seen.push(shown.map(({ ip }) => ip).join(' '))
  })
  await world.put('A')
  await world.put('W', { lbIP: '10.0.0.0' })
  await world.put('V', { lbIP: '10.0.0.1' })
  await world.put('U', { lbIP: '10.0.0.1' })
  await world.put('A', { lbIP: '10.0.0.3' })
  await world.put('V', { lbIP: '10.0.0.2' })
  world.shows({ A: '10.0.0.3', W: '10.0.0.0', V: '10.0.0.2', U: '10.0.0.1' })
  assert.deepEqual(seen, [])
})

test('who waits is served oldest first, and only while there is something', async () => {
  const world = await ServiceWorld.of([poolOf('p', ['10.0.0.0-10.0.0.1'])])
  await world.put('A')
  await world.put('B')
  await world.put('Young', { created: '2030-01-01T00:00:00Z' })
  await world.put('Old', { created: '2020-01-01T00:00:00Z' })
  await world.put('Middle', { created: '2025-01-01T00:00:00Z' })
  await world.remove('A')
  world.shows({ Old: '10.0.0.0', Middle: '', Young: '' })
  await world.remove('B')
  world.shows({ Middle: '10.0.0.1', Young: '' })
})

test('combinations of Local Services that the older rule allowed are kept until one changes (D7)', async () => {
  const world = new ServiceWorld()
  const shared = { key: 'k', local: 'x', status: [{ ip: '10.0.0.9' }] }
  world.write('A', shared)
  world.write('n2/B', { ...shared, ports: ['TCP/443'] })
  await world.pools(p24)
  world.shows({ A: '10.0.0.9', 'n2/B': '10.0.0.9' })
  await world.put('n2/B', { ports: ['TCP/444'] })
  world.shows({ A: '10.0.0.9', 'n2/B': '10.0.0.0' })
})

test('what is held is what is shown', async () => {
  const world = await ServiceWorld.of([p24])
  for (const name of names) await world.put(name)
  for (const name of names) {
    const held = world.controller.allocator.allocationOf(`d/${name}`)!
    assert.equal(held.addresses.map(formatAddress).join(' '), world.ips(name))
    assert.equal(held.confirmed, true)
  }
})

test('failures of a Service are counted once for its own event', async () => {
  const world = await ServiceWorld.of([])
  const errors = () => world.metrics.series.get('metallb_k8s_client_update_errors_total') ?? 0
  await world.put('A')
  assert.equal(errors(), 1)
  await world.pools(poolOf('p', ['10.0.0.0/24'], { autoAssign: false }))
  assert.equal(errors(), 1)
  assert.ok(world.log.lines.some(({ fields }) => fields.msg === 'IP allocation failed'))
})

test('who keeps changing the status draws us into no endless exchange', async () => {
  const world = await ServiceWorld.of([p24])
  world.kube.informer(services).subscribe(({ kind, object }) => {
    if (kind === 'updated' && object.status?.loadBalancer?.ingress?.length) world.write('A', { status: [] })
  })
  await world.put('A')
  assert.equal(world.writes, 10)
  world.clock.advance(10_000)
  await world.settle()
  assert.equal(world.writes, 20)
  assert.ok(world.log.lines.some(({ fields }) => fields.event === 'rewriteLimited'))
})

test('at the start the oldest that waits is served first, and the oldest that lost its address', async () => {
  const world = new ServiceWorld()
  world.write('P', { status: [], created: '2026-01-04T00:00:00Z' })
  world.write('Q', { status: [], created: '2026-01-03T00:00:00Z' })
  world.write('L', { status: [{ ip: '172.16.0.1' }], created: '2026-01-06T00:00:00Z' })
  world.write('M', { status: [{ ip: '172.16.0.2' }], created: '2026-01-05T00:00:00Z' })
  await world.pools(p24)
  world.shows({ M: '10.0.0.0', L: '10.0.0.1', Q: '10.0.0.2', P: '10.0.0.3' })
})

test('a failure is said once, and again after a success or for a new Service of the name', async () => {
  const world = await ServiceWorld.of([poolOf('p', ['10.0.0.0/32'])])
  const failed = 'Warning AllocationFailed Failed to allocate IP for "d/B": no available IPs'
  await world.put('A')
  await world.put('B')
  await world.put('B', { app: 'edited' })
  world.said('B', failed)
  await world.remove('B')
  await world.put('B')
  world.said('B', failed)
  await world.remove('A')
  await world.put('B', { type: 'ClusterIP' })
  await world.put('A')
  await world.put('B', { type: 'LoadBalancer' })
  world.said('B', 'Normal IPAllocated', failed)
})

test('a write that has not been sent when leadership ends is never sent', async () => {
  const world = await ServiceWorld.of([p24])
  await world.put('A')
  await world.put('W', { lbIP: '10.0.0.0' })
  world.kube.fail = (verb, _type, { name }) => {
    if (verb === 'replace/status' && name === 'A') world.controller.setActive(false)
  }
  await world.put('A', { lbIP: '10.0.0.1' }) // the write of W waits for that of A
  world.shows({ A: '10.0.0.1', W: '' })
})

test('the same, when leadership ends and begins again meanwhile', async () => {
  const world = await ServiceWorld.of([p24])
  await world.put('A')
  await world.put('W', { lbIP: '10.0.0.0' })
  const { writes } = world
  world.kube.fail = (verb, _type, { name }) => {
    if (verb !== 'replace/status' || name !== 'A') return
    world.kube.fail = () => {}
    world.controller.setActive(false)
    world.controller.setActive(true)
  }
  await world.put('A', { lbIP: '10.0.0.1' })
  world.shows({ A: '10.0.0.1', W: '10.0.0.0' })
  assert.equal(world.writes, writes + 2)
})

test('a cache that stays behind for half a minute is believed', async () => {
  const kube = new LaggingKube()
  const world = await ServiceWorld.of([p24], { kube })
  world.write('A')
  kube.lag = true
  await world.settle()
  world.controller.setPools([poolOf('p', ['10.0.0.0/25'])])
  await world.settle()
  const { writes } = world
  await world.clock.advanceAsync(29_000, 1000)
  assert.equal(world.writes, writes)
  await world.clock.advanceAsync(2000, 1000)
  assert.equal(world.writes > writes, true)
  await world.controller.stop()
})

test('the lines that people look for', async () => {
  const world = await ServiceWorld.of([poolOf('p', ['10.0.0.0/31'])])
  await world.put('A')
  await world.put('B', { cluster: ['None'], status: [{ ip: '10.0.0.1' }] })
  await world.put('C', { lbIP: '10.9.9.9' })
  await world.put('A', { lbIP: '10.0.0.1' })
  await world.put('A', { pool: 'q' })
  await world.remove('B')
  await world.put('A', { pool: undefined, lbIP: 'x' })
  await world.put('D', { status: [{ ip: '1.2.3.4' }], annotations: { 'metallb.universe.tf/x': '' } })
  await world.remove('D')
  const lines = new Set(world.log.lines.map(({ level, fields }) => `${level} ${fields.msg ?? fields.event}`))
  for (const line of [
    'info IP address assigned by controller',
    'info updated service object',
    'error IP allocation failed',
    'error failed to handle service',
    'info user requested a different IP than the one currently assigned',
    'info service deleted',
    'info current IP not allowed by config, clearing',
    'warn The used annotation is deprecated. Support might get removed in future versions',
    'error Failed to retrieve ClusterIPs IPFamily for ["None"] None: IPFamilyForAddresses: Invalid address ["None"]',
  ])
    assert.ok(lines.has(line), `${line} is not among ${[...lines].join('\n')}`)
  const failure = world.log.lines.find(({ fields }) => fields.op === 'allocateIPs')!
  assert.equal(failure.fields.service, 'd/C')
  assert.equal(String(failure.fields.error).startsWith('["10.9.9.9"] is not allowed in config'), true)
})
