import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256 } from '../../adapters/system/hash.ts'
import { type ServiceL2StatusResource, serviceL2Statuses } from '../../api/service-l2-status.ts'
import type { OwnerReference } from '../../core/object.ts'
import { KubeError } from '../../ports/index.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { FakeKube } from '../../testing/fake-kube.ts'
import { FakeLog } from '../../testing/fake-log.ts'
import { nodeLabel } from './desired.ts'
import { type Layer2Announcements, layer2Status, ServiceStatusController } from './index.ts'

const SERVICE = 'shop/front'
const owner: OwnerReference = { apiVersion: 'v1', kind: 'Pod', name: 'speaker-w1', uid: 'pod-w1' }

class FakeAnnouncements implements Layer2Announcements {
  readonly #announced = new Map<string, readonly string[] | 'all'>()
  readonly #listeners = new Set<(service: string) => void>()

  set(service: string, interfaces: readonly string[] | 'all' | undefined): void {
    if (interfaces === undefined) this.#announced.delete(service)
    else this.#announced.set(service, interfaces)
    for (const listener of this.#listeners) listener(service)
  }

  announcedOn(service: string) {
    return this.#announced.get(service)
  }

  onChange(listener: (service: string) => void) {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}

function bench({ kube = new FakeKube(), node = 'w1', settled = Promise.resolve() } = {}) {
  const announcements = new FakeAnnouncements()
  const clock = new FakeClock()
  const log = new FakeLog()
  const controller = new ServiceStatusController(layer2Status(announcements), {
    node,
    namespace: 'metallb-system',
    owner: { ...owner, name: `speaker-${node}`, uid: `pod-${node}` },
    settled,
    kube,
    statuses: kube.informer(serviceL2Statuses),
    hash: sha256,
    clock,
    log,
  })
  controller.start()
  const settle = async () => {
    for (let round = 0; round < 5; round++) await new Promise(resolve => setImmediate(resolve))
  }
  const objects = () => kube.informer(serviceL2Statuses).list()
  const announce = async (interfaces: readonly string[] | 'all' | undefined) => {
    announcements.set(SERVICE, interfaces)
    await settle()
  }
  return { kube, announcements, clock, log, controller, settle, objects, announce }
}

function foreign(node: string, change: Partial<ServiceL2StatusResource> = {}): ServiceL2StatusResource {
  const labels = { 'metallb.io/node': node, 'metallb.io/service-name': 'front', 'metallb.io/service-namespace': 'shop' }
  return {
    metadata: { name: `l2-${node}`, namespace: 'metallb-system', labels },
    status: { node, serviceName: 'front', serviceNamespace: 'shop' },
    ...change,
  }
}

function nodesOf(objects: ServiceL2StatusResource[]): (string | undefined)[] {
  return objects.map(({ status }) => status?.node).sort()
}

function writes({ calls }: FakeKube): string[] {
  return calls.filter(call => !call.startsWith('list'))
}

test('202 announced on every interface: one object with labels, owner and status, no interfaces', async () => {
  const { objects, announce } = bench()
  await announce('all')
  const [object, ...others] = objects()
  assert.deepEqual(others, [])
  assert.match(object!.metadata.name, /^l2-./)
  assert.equal(object!.metadata.namespace, 'metallb-system')
  assert.deepEqual(object!.metadata.labels, foreign('w1').metadata.labels)
  assert.deepEqual(object!.metadata.ownerReferences, [owner])
  assert.deepEqual(object!.status, { node: 'w1', serviceName: 'front', serviceNamespace: 'shop' })
})

test('203 interfaces are written as given, written once, and disappear again', async () => {
  const { kube, objects, announce } = bench()
  await announce(['eth0', 'eth1'])
  assert.deepEqual(objects()[0]?.status?.interfaces, [{ name: 'eth0' }, { name: 'eth1' }])
  const before = writes(kube).length
  await announce(['eth0', 'eth1'])
  assert.equal(writes(kube).length, before)
  await announce('all')
  assert.deepEqual(objects()[0]?.status, { node: 'w1', serviceName: 'front', serviceNamespace: 'shop' })
})

test('64, 204 the owner moves: one object remains, the new owner’s', async () => {
  const kube = new FakeKube()
  const [w1, w2] = [bench({ kube }), bench({ kube, node: 'w2' })]
  await w1.announce('all')
  await w2.announce('all') // the new owner is first: it removes what it finds
  await w1.announce(undefined)
  await w2.settle()
  assert.deepEqual(nodesOf(w2.objects()), ['w2'])
})

test('a crashed owner’s object is removed by the new owner, other Services are left alone', async () => {
  const { kube, objects, announce } = bench()
  kube.put(serviceL2Statuses, foreign('dead'))
  const labels = { ...foreign('dead').metadata.labels, 'metallb.io/service-name': 'other' }
  kube.put(serviceL2Statuses, foreign('dead', { metadata: { name: 'x', namespace: 'metallb-system', labels } }))
  await announce('all')
  assert.deepEqual(
    objects()
      .map(({ metadata }) => metadata.labels?.['metallb.io/node'])
      .sort(),
    ['dead', 'w1'],
  )
})

test('205 not announced any more: own objects go, those of others stay', async () => {
  const { kube, objects, announce } = bench()
  await announce('all')
  kube.put(serviceL2Statuses, foreign('w2'))
  await announce(undefined)
  assert.ok(objects().every(({ status }) => status?.node !== 'w1'))
})

test('65 deleted by hand: created anew; nonsense written into it is overwritten', async () => {
  const { kube, objects, announce, settle } = bench()
  await announce(['eth0'])
  const [first] = objects()
  kube.remove(serviceL2Statuses, { name: first!.metadata.name, namespace: 'metallb-system' })
  await settle()
  assert.equal(objects()[0]?.status?.node, 'w1')
  kube.put(serviceL2Statuses, { ...objects()[0]!, status: { ...objects()[0]!.status, interfaces: [{ name: 'x' }] } })
  await settle()
  assert.deepEqual(objects()[0]?.status?.interfaces, [{ name: 'eth0' }])
})

test('an object whose immutable names are wrong is replaced', async () => {
  const { kube, objects, announce } = bench()
  kube.put(serviceL2Statuses, foreign('w1', { status: { node: 'elsewhere' } }))
  await announce('all')
  assert.deepEqual(
    objects().map(({ status }) => status?.node),
    ['w1'],
  )
})

test('after a restart nothing is deleted before the announcements are complete; then the old object is taken over', async () => {
  const kube = new FakeKube()
  kube.put(serviceL2Statuses, foreign('w1'))
  let settledNow = () => {}
  const settled = new Promise<void>(resolve => {
    settledNow = resolve
  })
  const { objects, announce, settle } = bench({ kube, settled })
  await announce('all')
  assert.deepEqual(kube.calls, [])
  settledNow()
  await settle()
  assert.deepEqual(
    objects().map(({ metadata }) => [metadata.name, metadata.ownerReferences]),
    [['l2-w1', [owner]]],
  )
})

test('a failed write is tried again', async () => {
  const { kube, objects, announce, settle, clock, log } = bench()
  kube.fail = verb => {
    if (verb === 'create') throw new KubeError('SERVER', 'not now')
  }
  await announce('all')
  assert.deepEqual(objects(), [])
  assert.ok(log.lines.some(({ level }) => level === 'error'))
  kube.fail = () => {}
  clock.advance(5)
  await settle()
  assert.equal(objects().length, 1)
})

test('an object without labels is ignored', async () => {
  const { kube, log, settle } = bench()
  kube.put(serviceL2Statuses, { metadata: { name: 'x', namespace: 'metallb-system' } })
  await settle()
  assert.equal(log.lines.filter(({ level }) => level === 'error').length, 1)
})

test('a node name too long for a label is cut and hashed', () => {
  const long = `${'n'.repeat(70)}.example.com`
  assert.equal(nodeLabel('w1', sha256), 'w1')
  assert.match(nodeLabel(long, sha256), /^n{52}-[0-9a-f]{10}$/)
  assert.notEqual(nodeLabel(long, sha256), nodeLabel(`${long}x`, sha256))
})
