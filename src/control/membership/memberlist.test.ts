import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hmacSha256 } from '../../adapters/system/hmac.ts'
import { parseAddress } from '../../core/ip/index.ts'
import { FAST_TIMING } from '../../protocols/heartbeat/index.ts'
import { FAST_LAN } from '../../protocols/memberlist/index.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { FakeLog } from '../../testing/fake-log.ts'
import { FakeNetwork } from '../../testing/fake-network.ts'
import { FakeRandom } from '../../testing/fake-random.ts'
import { FakeStreams } from '../../testing/fake-stream.ts'
import { CombinedMembership, HeartbeatMembership, MemberlistMembership } from './index.ts'

const ADDRESSES = { a: '10.0.0.1', b: '10.0.0.2', c: '10.0.0.3', d: '10.0.0.4' }
type Name = keyof typeof ADDRESSES

class Net {
  readonly clock = new FakeClock()
  readonly network = new FakeNetwork(this.clock, new FakeRandom(3))
  readonly streams = new FakeStreams(this.clock, new FakeRandom(4))
  readonly log = new FakeLog()
  #seed = 10

  async speaker(node: Name, { heartbeats = true } = {}) {
    const { clock, log } = this
    const address = parseAddress(ADDRESSES[node])!
    const peers = Object.values(ADDRESSES).filter(text => text !== ADDRESSES[node])
    const common = { node, clock, log, peers, random: new FakeRandom(this.#seed++) }
    const memberlist = new MemberlistMembership({
      ...{ ...common, address, port: 7946, config: FAST_LAN, streams: this.streams.host(address), heartbeats },
      open: async () => this.network.open(ADDRESSES[node], 7946),
    })
    const direct = new HeartbeatMembership({
      ...{ ...common, port: 7947, timing: FAST_TIMING, beside: true, hmac: hmacSha256(new Uint8Array(16)) },
      open: async () => this.network.open(ADDRESSES[node], 7947),
    })
    const options = { node, memberlist, trustMs: 10_000, clock, log }
    const speaker = new CombinedMembership({ ...options, ...(heartbeats && { heartbeats: direct }) })
    await speaker.start()
    const events: string[] = []
    speaker.subscribe(event => events.push(`${event.kind} ${event.node}`))
    return { speaker, events, members: () => [...speaker.members()].sort().join('') }
  }

  /** All four, able to announce. */
  async four(without: { heartbeats?: boolean } = {}) {
    const all = []
    for (const node of ['a', 'b', 'c', 'd'] as const) all.push(await this.speaker(node, node === 'd' ? without : {}))
    await this.clock.advanceAsync(2000, 10)
    for (const { speaker } of all) speaker.activate()
    await this.clock.advanceAsync(500, 10)
    assert.deepEqual(
      all.map(({ members }) => members()),
      Array(4).fill('abcd'),
    )
    for (const { events } of all) events.length = 0
    return all
  }
}

test('speakers find one another and count only those that can announce', async () => {
  const net = new Net()
  const [a, b] = [await net.speaker('a'), await net.speaker('b')]
  await net.clock.advanceAsync(2000, 10)
  assert.deepEqual([a.speaker.joined, b.speaker.ready()], [true, true])
  assert.deepEqual([a.members(), b.members()], ['a', 'b'])
  b.speaker.activate()
  await net.clock.advanceAsync(300, 10)
  assert.deepEqual([a.members(), b.members()], ['ab', 'b'])
  assert.deepEqual(
    a.events.filter(event => event === 'NodeJoin b'), // by heartbeat or by gossip, whichever comes first
    ['NodeJoin b'],
  )
})

test('a dead node counts no more after 0.4 to 0.6 s, by the witness of another', async () => {
  const net = new Net()
  const [a, b, c] = await net.four()
  net.network.kill(ADDRESSES.d)
  await net.clock.advanceAsync(380, 10)
  assert.deepEqual(
    [a!, b!, c!].flatMap(({ events }) => events),
    [],
  )
  await net.clock.advanceAsync(220, 10)
  assert.deepEqual(
    [a!, b!, c!].map(({ events }) => events),
    Array(3).fill(['NodeLeave d']),
  )
})

test('a speaker without heartbeats is judged by memberlist alone', async () => {
  const net = new Net()
  const [a, , , d] = await net.four({ heartbeats: false })
  await net.clock.advanceAsync(5000, 50)
  assert.deepEqual([a!.events, d!.members()], [[], 'abcd'])
  net.network.kill(ADDRESSES.d)
  net.streams.silent = true // d's end answers no TCP ping either
  await net.clock.advanceAsync(700, 10)
  assert.equal(a!.members(), 'abcd')
  await net.clock.advanceAsync(6000, 20)
  assert.deepEqual([a!.members(), a!.events], ['abc', ['NodeLeave d']])
})

test('a planned stop is noticed at once by all', async () => {
  const net = new Net()
  const [a, b, c, d] = await net.four()
  const stopped = d!.speaker.stop()
  await net.clock.advanceAsync(100, 10)
  assert.deepEqual(
    [a!, b!, c!].map(({ members }) => members()),
    Array(3).fill('abc'),
  )
  await net.clock.advanceAsync(1500, 50)
  await stopped
})

test('a minority of one takes nothing over early; healed, all are one within 2 s', async () => {
  const net = new Net()
  const all = await net.four()
  net.network.partition([ADDRESSES.a], [ADDRESSES.b, ADDRESSES.c, ADDRESSES.d])
  await net.clock.advanceAsync(700, 10)
  assert.deepEqual(
    all.map(({ members }) => members()),
    ['abcd', 'bcd', 'bcd', 'bcd'],
  )
  await net.clock.advanceAsync(300, 10)
  net.network.heal()
  await net.clock.advanceAsync(2000, 10)
  assert.deepEqual(
    all.map(({ members }) => members()),
    Array(4).fill('abcd'),
  )
})
