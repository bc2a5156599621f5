import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256 } from '../../adapters/system/hash.ts'
import { serviceBGPStatuses } from '../../api/index.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { FakeKube } from '../../testing/fake-kube.ts'
import { FakeLog } from '../../testing/fake-log.ts'
import { bgpStatus, ServiceStatusController } from './index.ts'

function bench(node: string, kube = new FakeKube()) {
  const peers = new Map<string, string[]>()
  let tell = (_service: string) => {}
  const announcements = {
    peersOf: (service: string) => peers.get(service) ?? [],
    onChange: (listener: typeof tell) => {
      tell = listener
      return () => {}
    },
  }
  const controller = new ServiceStatusController(bgpStatus(announcements), {
    node,
    namespace: 'metallb-system',
    owner: { apiVersion: 'v1', kind: 'Pod', name: `speaker-${node}`, uid: node },
    settled: Promise.resolve(),
    kube,
    statuses: kube.informer(serviceBGPStatuses),
    hash: sha256,
    clock: new FakeClock(),
    log: new FakeLog(),
  })
  controller.start()
  const announce = async (service: string, ...names: string[]) => {
    peers.set(service, names)
    tell(service)
    await settle()
  }
  const settle = async () => {
    for (let round = 0; round < 5; round++) await new Promise(resolve => setImmediate(resolve))
  }
  return { kube, announce, settle, objects: () => kube.informer(serviceBGPStatuses).list() }
}

test('22 one status names all peers; deleted by hand it comes back', async () => {
  const { kube, announce, settle, objects } = bench('worker-a')
  await announce('default/web', 'tor-a', 'tor-b')
  const [object] = objects()
  assert.deepEqual(object?.status, {
    node: 'worker-a',
    serviceName: 'web',
    serviceNamespace: 'default',
    peers: ['tor-a', 'tor-b'],
  })
  assert.equal(object?.metadata.generateName, 'bgp-')
  await kube.delete(serviceBGPStatuses, object!.metadata)
  await settle()
  assert.deepEqual(
    objects().map(({ status }) => status?.peers),
    [['tor-a', 'tor-b']],
  )
})

test('21 a peer that is gone is no longer listed, and with the last one the status goes', async () => {
  const { announce, objects } = bench('worker-a')
  await announce('default/web', 'tor-a', 'tor-b')
  await announce('default/web', 'tor-b')
  assert.deepEqual(objects()[0]?.status?.peers, ['tor-b'])
  await announce('default/web')
  assert.deepEqual(objects(), [])
})

test('every node has its own', async () => {
  const first = bench('worker-a')
  const second = bench('worker-b', first.kube)
  await first.announce('default/web', 'tor')
  await second.announce('default/web', 'tor')
  assert.equal(first.kube.calls.filter(call => call.startsWith('delete')).length, 0)
  assert.deepEqual(
    first
      .objects()
      .map(({ status }) => status?.node)
      .sort(),
    ['worker-a', 'worker-b'],
  )
})
