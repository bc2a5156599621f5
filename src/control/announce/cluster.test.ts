/** Twelve speakers on a simulated network: whatever happens, in the end each address has exactly one owner. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256 } from '../../adapters/system/hash.ts'
import { hmacSha256 } from '../../adapters/system/hmac.ts'
import { endpointSlices, nodes, services } from '../../api/kubernetes/index.ts'
import { silent } from '../../ports/index.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { FakeKube, FakeRecorder } from '../../testing/fake-kube.ts'
import { FakeMetrics } from '../../testing/fake-metrics.ts'
import { FakeNetwork } from '../../testing/fake-network.ts'
import { FakeRandom } from '../../testing/fake-random.ts'
import { FakeInterfaces, FakeResponder } from '../../testing/fake-speaker.ts'
import { anAdvertisement, aPool } from '../../testing/layer2-world.ts'
import { HeartbeatMembership } from '../membership/index.ts'
import { Layer2Protocol, SpeakerController } from './index.ts'

const SPEAKERS = 12
const ADDRESSES = 16

class Cluster {
  readonly clock = new FakeClock()
  readonly kube = new FakeKube()
  readonly network: FakeNetwork
  readonly random: FakeRandom
  readonly responders = new Map<string, FakeResponder>()
  readonly #speakers = new Map<string, { speaker: SpeakerController; membership: HeartbeatMembership }>()

  constructor(seed: number) {
    this.random = new FakeRandom(seed)
    this.network = new FakeNetwork(this.clock, this.random)
    Object.assign(this.network, { delayMs: 0.2, jitterMs: 2, loss: 0.02 })
    for (let n = 0; n < SPEAKERS; n++) this.kube.put(nodes, { metadata: { name: nodeOf(n) } })
    for (let n = 0; n < ADDRESSES; n++) {
      const metadata = { name: `s${n}`, namespace: 'default' }
      const ingress = [{ ip: `192.168.1.${240 + n}` }]
      this.kube.put(services, { metadata, spec: { type: 'LoadBalancer' }, status: { loadBalancer: { ingress } } })
      const labels = { 'kubernetes.io/service-name': metadata.name }
      this.kube.put(endpointSlices, { metadata: { ...metadata, labels }, endpoints: [{ addresses: ['10.244.0.1'] }] })
    }
  }

  /** A speaker starts; its configuration comes late, as a real one does. */
  async boot(n: number, configAfterMs = 250): Promise<void> {
    const node = nodeOf(n)
    const responder = new FakeResponder()
    const { clock, kube, network } = this
    const peers = Array.from({ length: SPEAKERS }, (_, other) => ipOf(other)).filter(ip => ip !== ipOf(n))
    const membership = new HeartbeatMembership({
      node,
      open: async () => network.open(ipOf(n), 7946),
      port: 7946,
      clock,
      random: new FakeRandom(Math.floor(this.random.next() * 2 ** 32)),
      log: silent,
      hmac: hmacSha256(new Uint8Array(16)),
      peers,
    })
    const speaker = new SpeakerController({
      node,
      services: kube.informer(services),
      endpointSlices: kube.informer(endpointSlices),
      nodes: kube.informer(nodes),
      membership,
      protocols: [new Layer2Protocol({ node, responder, interfaces: new FakeInterfaces('eth0') })],
      plan: { ignoreExcludeLb: false, lbClass: '' },
      hash: sha256,
      recorder: new FakeRecorder(),
      metrics: new FakeMetrics(),
      clock,
      log: silent,
    })
    speaker.start()
    await membership.start()
    const all = new Set(Array.from({ length: SPEAKERS }, (_, other) => nodeOf(other)))
    const config = { pools: [aPool()], l2Advertisements: [anAdvertisement({ nodes: all })] }
    clock.after(configAfterMs, () => speaker.setConfig(config))
    this.#speakers.set(node, { speaker, membership })
    this.responders.set(node, responder)
  }

  /** kill -9 of the node: it says nothing more and answers nothing more. */
  kill(n: number): void {
    this.network.kill(ipOf(n))
    this.responders.delete(nodeOf(n))
  }

  /** A planned stop, the membership first. */
  async stop(n: number): Promise<void> {
    const { speaker, membership } = this.#speakers.get(nodeOf(n))!
    const left = membership.stop()
    await this.run(60)
    await left
    await speaker.stop()
    this.responders.delete(nodeOf(n))
  }

  run(ms: number): Promise<void> {
    return this.clock.advanceAsync(ms, 20)
  }

  /** Owners of each address among the nodes given (all by default). */
  owners(among = [...this.responders.keys()]): string[][] {
    return Array.from({ length: ADDRESSES }, (_, n) =>
      among.filter(node => this.responders.get(node)?.table.includes(`192.168.1.${240 + n}`)),
    )
  }

  assertOneOwnerEach(when: string, among?: string[]): void {
    for (const [n, owners] of this.owners(among).entries())
      assert.equal(owners.length, 1, `${when}: 192.168.1.${240 + n} is answered by [${owners}]`)
  }
}

const nodeOf = (n: number) => `node-${String(n).padStart(2, '0')}`
const ipOf = (n: number) => `10.0.0.${n + 1}`
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n)

async function running(seed: number): Promise<Cluster> {
  const cluster = new Cluster(seed)
  for (const n of range(0, SPEAKERS)) await cluster.boot(n)
  await cluster.run(1000)
  cluster.assertOneOwnerEach('after the start')
  return cluster
}

for (const seed of [1, 2, 3]) {
  test(`seed ${seed}: kills, a partition and its healing leave one owner for each address`, async () => {
    const cluster = await running(seed)
    assert.ok(new Set(cluster.owners().flat()).size > 3, 'the addresses are spread')

    const victims = [0, 1, 2].map(() => Math.floor(cluster.random.next() * SPEAKERS))
    for (const victim of victims) cluster.kill(victim)
    await cluster.run(1300)
    cluster.assertOneOwnerEach('1.3 s after the kill')

    const [left, right] = [range(0, 5), range(5, SPEAKERS)]
    cluster.network.partition(left.map(ipOf), right.map(ipOf))
    await cluster.run(1300)
    for (const side of [left, right]) cluster.assertOneOwnerEach('in the partition', side.map(nodeOf))

    cluster.network.heal()
    await cluster.run(600)
    cluster.assertOneOwnerEach('after healing')

    for (const victim of new Set(victims)) await cluster.boot(victim)
    await cluster.run(1000)
    cluster.assertOneOwnerEach('after the restart')
  })
}

test('a rolling restart never leaves an address without an answer', async () => {
  const cluster = await running(4)
  cluster.network.loss = 0
  const unanswered: string[] = []
  const watch = async (ms: number, when: string) => {
    for (let moved = 0; moved < ms; moved += 20) {
      await cluster.clock.advanceAsync(20)
      for (const [n, owners] of cluster.owners().entries())
        if (owners.length === 0) unanswered.push(`${when}: .${240 + n}`)
    }
  }
  for (const n of range(0, SPEAKERS)) {
    await cluster.stop(n)
    await watch(100, `after the stop of ${n}`)
    await cluster.boot(n)
    await watch(500, `after the start of ${n}`)
  }
  assert.deepEqual(unanswered, [])
  cluster.assertOneOwnerEach('after the rolling restart')
})

test('while the API is away announcements and failover go on', async () => {
  const cluster = await running(5)
  cluster.kube.fail = () => {
    throw new Error('the API is away')
  }
  const [owner] = cluster.owners()[0]!
  cluster.kill(Number(owner!.slice(-2)))
  await cluster.run(1300)
  cluster.assertOneOwnerEach('1.3 s after the kill')
})
