// Whole clusters in memory, seeded: loss, delay, partitions, deaths. What must hold is checked all the time.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatAddress, parseAddress } from '../../core/ip/index.ts'
import { type StreamListener, silent } from '../../ports/index.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { FakeNetwork } from '../../testing/fake-network.ts'
import { FakeRandom } from '../../testing/fake-random.ts'
import { FakeStreams } from '../../testing/fake-stream.ts'
import { FAST_LAN, LAN, Memberlist, type MemberlistConfig } from './index.ts'

const PORT = 7946
const FAST = Uint8Array.of(1)

class Cluster {
  readonly clock = new FakeClock()
  readonly network: FakeNetwork
  readonly streams: FakeStreams
  readonly nodes = new Map<string, Memberlist>()
  readonly leaves: string[] = []
  readonly #listeners = new Map<string, StreamListener>()
  readonly #random: FakeRandom
  #seed: number

  constructor(seed: number) {
    this.#seed = seed
    this.#random = new FakeRandom(seed)
    this.network = new FakeNetwork(this.clock, this.#random)
    this.streams = new FakeStreams(this.clock, this.#random)
    Object.assign(this.network, { delayMs: 0.5, jitterMs: 5, loss: 0.02 })
  }

  /** A node, started and joined to the first one. */
  async add(index: number, config: MemberlistConfig = LAN): Promise<void> {
    const name = `n${index}`
    const text = addressOf(index)
    const address = parseAddress(text)!
    const { connect, listen } = this.streams.host(address)
    const reach = (to: string) => this.nodes.has(nameOf(to))
    const node: Memberlist = new Memberlist({
      ...{ name, address, port: PORT, config, clock: this.clock, log: silent },
      random: new FakeRandom(++this.#seed),
      socket: this.network.open(text, PORT),
      connect: (target, events) => {
        const dead = !reach(formatAddress(target.address)) || this.#cut(text, formatAddress(target.address))
        return dead ? unanswered(target) : connect(target, events)
      },
      ...(config.fast ? { meta: FAST } : {}),
      isFast: meta => meta[0] === 1,
      event: ({ kind, node: about }) => {
        if (kind === 'NodeLeave') this.leaves.push(`${name} lost ${about}`)
      },
    })
    const listener = await listen({ address, port: PORT }, stream =>
      this.nodes.has(name) ? node.accept(stream) : undefined,
    )
    this.#listeners.set(name, listener)
    this.nodes.set(name, node)
    node.start()
    if (index > 0) void node.join(parseAddress(addressOf(0))!, PORT).catch(() => {})
  }

  kill(index: number): void {
    void this.#listeners.get(`n${index}`)!.close()
    this.network.kill(addressOf(index))
    this.nodes.get(`n${index}`)!.shutdown()
    this.nodes.delete(`n${index}`)
  }

  /** Addresses that cannot reach one another by TCP, as `network.partition` does for UDP. */
  #cut: (left: string, right: string) => boolean = () => false

  partition(...groups: number[][]): void {
    const addresses = groups.map(group => group.map(addressOf))
    this.network.partition(...addresses)
    const groupOf = (address: string) => addresses.findIndex(group => group.includes(address))
    this.#cut = (left, right) => groupOf(left) !== groupOf(right)
  }

  heal(): void {
    this.network.heal()
    this.#cut = () => false
  }

  /** Every node sees exactly the nodes that live. */
  agrees(): boolean {
    const names = [...this.nodes.keys()].sort().join()
    return [...this.nodes.values()].every(
      node =>
        node
          .present()
          .map(({ name }) => name)
          .sort()
          .join() === names,
    )
  }

  /** How long until all agree, in steps of 100 ms. */
  async until(condition: () => boolean, withinMs: number, what: string): Promise<number> {
    for (let passed = 0; passed <= withinMs; passed += 100) {
      if (condition()) return passed
      await this.clock.advanceAsync(100, 50)
    }
    assert.fail(`not within ${withinMs} ms: ${what}`)
  }
}

const addressOf = (index: number) => `10.0.${index >> 8}.${(index & 255) + 1}`
const nameOf = (address: string) => {
  const [, , high, low] = address.split('.').map(Number)
  return `n${(high! << 8) + low! - 1}`
}

function unanswered(target: { address: { family: 'ipv4' | 'ipv6'; value: bigint }; port: number }) {
  return { local: undefined, remote: target, write: () => true, end() {}, destroy() {} }
}

test('a hundred nodes with loss: one view, the dead noticed, nobody alive given up', async () => {
  const cluster = new Cluster(7)
  for (let index = 0; index < 100; index++) await cluster.add(index)
  await cluster.until(() => cluster.agrees(), 10_000, 'all know all')
  await cluster.clock.advanceAsync(5000, 100)
  cluster.clock.jump(3_600_000) // wall time matters to nobody
  assert.deepEqual(cluster.leaves, [])
  for (const index of [3, 50, 99]) cluster.kill(index)
  await cluster.until(() => cluster.agrees(), 20_000, 'all noticed the three dead')
  const wrong = cluster.leaves.filter(text => !/ n(3|50|99)$/.test(text))
  assert.deepEqual(wrong, [])
})

for (const seed of [1, 2, 3])
  test(`fast and usual nodes in one cluster, seed ${seed}: fast ones are noticed fast, nobody is wronged`, async () => {
    const cluster = new Cluster(seed)
    for (let index = 0; index < 12; index++) await cluster.add(index, index % 2 === 0 ? FAST_LAN : LAN)
    await cluster.until(() => cluster.agrees(), 5000, 'all know all')
    cluster.network.loss = 0.05
    await cluster.clock.advanceAsync(60_000, 100)
    assert.deepEqual(cluster.leaves, [])
    cluster.kill(4)
    const fastMs = await cluster.until(() => cluster.agrees(), 4000, 'the dead fast node is noticed')
    cluster.kill(5)
    const usualMs = await cluster.until(() => cluster.agrees(), 14_000, 'the dead usual node is noticed')
    assert.ok(usualMs >= 4000, `a usual node has the usual time to refute: ${usualMs} ms after ${fastMs} ms`)
    assert.ok(cluster.leaves.every(text => / n[45]$/.test(text)))
  })

test('a partition for 20 s, then healed and joined: one view again within 2 s', async () => {
  const cluster = new Cluster(11)
  for (let index = 0; index < 9; index++) await cluster.add(index, FAST_LAN)
  await cluster.until(() => cluster.agrees(), 5000, 'all know all')
  const [left, right] = [
    [0, 1, 2, 3],
    [4, 5, 6, 7, 8],
  ]
  cluster.partition(left!, right!)
  const sees = (index: number) => cluster.nodes.get(`n${index}`)!.present().length
  await cluster.until(() => sees(0) === 4 && sees(8) === 5, 20_000, 'each side sees itself alone')
  cluster.heal()
  for (const from of left!) // as a speaker joins every pod that is no member
    for (const to of right!) void cluster.nodes.get(`n${from}`)!.join(parseAddress(addressOf(to))!, PORT, 1000)
  await cluster.until(() => cluster.agrees(), 2000, 'one view again')
})

test('60 a node that starts anew at its address within 2 s is given up by nobody', async () => {
  let suspecting = 0
  for (let phase = 0; phase < 1000; phase += 200) {
    const cluster = new Cluster(13 + phase)
    for (let index = 0; index < 6; index++) await cluster.add(index)
    await cluster.until(() => cluster.agrees(), 5000, 'all know all')
    await cluster.clock.advanceAsync(5000 + phase, 100)
    cluster.kill(3)
    await cluster.clock.advanceAsync(2000, 100)
    const states = [...cluster.nodes.values()].flatMap(node => node.present())
    suspecting += states.filter(({ name, state }) => name === 'n3' && state === 'suspect').length
    await cluster.add(3)
    await cluster.clock.advanceAsync(30_000, 100)
    assert.deepEqual([cluster.leaves, cluster.agrees()], [[], true])
  }
  assert.ok(suspecting > 5, `${suspecting} suspected it`)
})
