import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256 } from '../../adapters/system/hash.ts'
import { endpointSlices, nodes, services } from '../../api/kubernetes/index.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { FakeKube, FakeRecorder } from '../../testing/fake-kube.ts'
import { FakeLog } from '../../testing/fake-log.ts'
import { FakeMetrics } from '../../testing/fake-metrics.ts'
import { FakeInterfaces, FakeMembership, FakeResponder } from '../../testing/fake-speaker.ts'
import { anAdvertisement, aPool, NODES } from '../../testing/layer2-world.ts'
import { Layer2Protocol, SpeakerController } from './index.ts'

/** A membership that also has opinions, as with --hold-down and --require-majority. */
class OpinionatedMembership extends FakeMembership {
  heldNodes: string[] = []
  few: { seen: number; expected: number } | undefined

  held(): ReadonlySet<string> {
    return new Set(this.heldNodes)
  }

  minority() {
    return this.few
  }
}

/** node-a speaks; `default/web` has an endpoint on each of three nodes, and node-a is preferred. */
async function open(interfaces: readonly string[] | 'all' = 'all') {
  const kube = new FakeKube()
  for (const name of NODES) kube.put(nodes, { metadata: { name } })
  kube.put(services, {
    metadata: { name: 'web', namespace: 'default' },
    spec: { type: 'LoadBalancer' },
    status: { loadBalancer: { ingress: [{ ip: '192.168.1.240' }] } },
  })
  kube.put(endpointSlices, {
    metadata: { name: 'web-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
    endpoints: [{ addresses: ['10.244.0.1'], nodeName: 'node-a' }],
  })
  const membership = new OpinionatedMembership(NODES)
  const seams = { membership, metrics: new FakeMetrics(), log: new FakeLog(), clock: new FakeClock() }
  const layer2 = new Layer2Protocol({
    ...{ node: 'node-a', membership, responder: new FakeResponder(), interfaces: new FakeInterfaces('eth0') },
  })
  const speaker = new SpeakerController({
    ...{ ...seams, node: 'node-a', recorder: new FakeRecorder(), protocols: [layer2], hash: sha256 },
    services: kube.informer(services),
    endpointSlices: kube.informer(endpointSlices),
    nodes: kube.informer(nodes),
    plan: { ignoreExcludeLb: false, lbClass: '', drainCordoned: true },
  })
  const named = interfaces === 'all' ? interfaces : new Set(interfaces)
  const preferred = anAdvertisement({ preferredNodes: new Map([['node-a', 1]]), interfaces: named })
  const settle = async () => {
    await new Promise(resolve => setImmediate(resolve))
    await speaker.whenIdle()
  }
  speaker.start()
  await settle()
  const load = async () => {
    speaker.setConfig({ pools: [aPool()], l2Advertisements: [preferred] })
    await settle()
  }
  const decides = () => {
    const { layer2, announced } = speaker.verdict('default/web')!
    return [layer2.announces, layer2.reasons.map(({ code }) => code), announced.layer2]
  }
  return { speaker, membership, settle, load, decides }
}

test('a speaker that waits says for what, and decides nothing', async () => {
  const { speaker, decides, load } = await open()
  assert.equal(speaker.view().waiting, 'waiting for a valid configuration')
  assert.deepEqual(decides(), [false, ['speakerWaits'], []])
  await load()
  assert.equal(speaker.view().waiting, undefined)
  assert.deepEqual(decides(), [true, ['owner'], ['192.168.1.240']])
  assert.equal(speaker.verdict('default/nobody'), undefined)
})

test('it tells what it sees of the others, and its flags', async () => {
  const { speaker, membership, load } = await open(['eth0'])
  await load()
  membership.heldNodes = ['node-b']
  membership.few = { seen: 1, expected: 3 }
  membership.setInterfaces('node-c', [])
  assert.deepEqual(speaker.view(), {
    options: { ignoreExcludeLb: false, lbClass: '', drainCordoned: true },
    members: NODES,
    held: ['node-b'],
    minority: { seen: 1, expected: 3 },
    interfaces: { 'node-a': ['eth0'], 'node-c': [] },
  })
})

test('a held node and a minority are in its own decision, with the words of the log', async () => {
  const { membership, settle, load, decides } = await open()
  await load()
  membership.heldNodes = ['node-a']
  assert.deepEqual(decides().slice(0, 2), [false, ['notOwner', 'heldDown']])
  membership.heldNodes = []
  membership.few = { seen: 1, expected: 3 }
  membership.set(...NODES, 'node-d') // somebody comes: everything is looked at again
  await settle()
  assert.deepEqual(decides(), [false, ['minorityPartition'], []])
})

test('an elected node whose interfaces are missing does not announce, and says which', async () => {
  const { decides, speaker, load } = await open(['nosuch0'])
  await load()
  assert.deepEqual(decides(), [false, ['announceFailed', 'owner'], []])
  assert.match(speaker.verdict('default/web')!.layer2.reasons[0]!.message, /192\.168\.1\.240/)
})

test('where BGP is not configured its verdict says that', async () => {
  const { speaker, load } = await open()
  await load()
  assert.deepEqual(speaker.verdict('default/web')!.bgp.reasons, [
    { code: 'notOwner', message: 'neither peers nor advertisements of BGP are configured' },
  ])
})
