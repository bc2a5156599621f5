import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hmacSha256 } from '../../adapters/system/hmac.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { FakeNetwork } from '../../testing/fake-network.ts'
import { FakeRandom } from '../../testing/fake-random.ts'
import { SimulatedHeartbeats } from '../../testing/simulated-heartbeats.ts'
import type { Refusal } from './index.ts'

const key = hmacSha256(new TextEncoder().encode('secret'))
const PORT = 7947
const ADDRESSES = { a: '10.0.0.1', b: '10.0.0.2', c: '10.0.0.3' }
type Name = keyof typeof ADDRESSES

class Net {
  readonly clock = new FakeClock()
  readonly network = new FakeNetwork(this.clock, new FakeRandom())
  #seed = 10

  /** A speaker on the node, started; it knows the addresses of all nodes. */
  async speaker(node: Name, hmac = key) {
    const refusals: Refusal[] = []
    const speaker = new SimulatedHeartbeats({
      ...{ node, port: PORT, clock: this.clock, random: new FakeRandom(this.#seed++), hmacs: [hmac] },
      open: async () => this.network.open(ADDRESSES[node], PORT),
      peers: Object.values(ADDRESSES).filter(address => address !== ADDRESSES[node]),
      refused: code => refusals.push(code),
    })
    /** This node and those that live and can announce. */
    const members = () => {
      const heard = [...speaker.evidence()].filter(([, { at }]) => at === 'alive' || at === 'suspect')
      return [node, ...heard.flatMap(([name, { joining }]) => (joining ? [] : [name]))].sort().join('')
    }
    /** Who came and who went, as `+b` and `-b`. */
    const events: string[] = []
    let before = node as string
    speaker.watch(() => {
      const after = members()
      events.push(...[...after].filter(name => !before.includes(name)).map(name => `+${name}`))
      events.push(...[...before].filter(name => !after.includes(name)).map(name => `-${name}`))
      before = after
    })
    await speaker.start()
    return { speaker, events, members, refusals }
  }

  /** Three speakers that can announce. */
  async three() {
    const all = [await this.speaker('a'), await this.speaker('b'), await this.speaker('c')] as const
    this.clock.advance(10)
    for (const { speaker } of all) speaker.activate()
    this.clock.advance(10)
    for (const { members } of all) assert.equal(members(), 'abc')
    for (const { events } of all) events.length = 0
    return all
  }
}

test('three speakers find one another; each counts from its activation on', async () => {
  const net = new Net()
  const all = [await net.speaker('a'), await net.speaker('b'), await net.speaker('c')] as const
  net.clock.advance(10)
  const members = () => all.map(speaker => speaker.members())
  assert.deepEqual(
    all.map(({ speaker }) => [...speaker.evidence().values()].map(({ at, joining }) => `${at} ${joining}`)),
    Array(3).fill(['alive true', 'alive true']),
  )
  assert.deepEqual(members(), ['a', 'b', 'c'])
  all[1].speaker.activate()
  net.clock.advance(1)
  assert.deepEqual(members(), ['ab', 'b', 'bc'])
})

test('a killed node is noticed between 0.25 and 0.31 s, whatever the phase', async () => {
  for (let phase = 0; phase < 50; phase += 5) {
    const net = new Net()
    const [a, , c] = await net.three()
    net.clock.advance(phase)
    net.network.partition(['10.0.0.1', '10.0.0.2'])
    net.clock.advance(249)
    assert.deepEqual(a.events, [])
    net.clock.advance(61)
    assert.deepEqual(a.events, ['-c'])
    assert.equal(c.members(), 'c')
  }
})

test('a planned stop is noticed at once, even where packets are lost', async () => {
  const net = new Net()
  const [a, b, c] = await net.three()
  net.network.loss = 0.3
  const stopped = c.speaker.stop()
  await net.clock.advanceAsync(60, 10)
  await stopped
  assert.deepEqual([a.events, b.events], [['-c'], ['-c']])
})

test('after a partition heals the members are back within 0.3 s', async () => {
  const net = new Net()
  const all = await net.three()
  net.network.partition(['10.0.0.1'], ['10.0.0.2', '10.0.0.3'])
  net.clock.advance(1500)
  assert.deepEqual(
    all.map(({ members }) => members()),
    ['a', 'bc', 'bc'],
  )
  net.network.heal()
  net.clock.advance(300)
  assert.deepEqual(
    all.map(({ members }) => members()),
    ['abc', 'abc', 'abc'],
  )
})

test('ten minutes with 20 % loss and reordering: at most two are declared dead by mistake, and for a moment', async () => {
  const net = new Net()
  const all = await net.three()
  Object.assign(net.network, { loss: 0.2, delayMs: 1, jitterMs: 50 })
  for (let second = 0; second < 600; second++) net.clock.advance(1000)
  const leaves = all.flatMap(({ events }) => events.filter(event => event.startsWith('-')))
  assert.ok(leaves.length <= 2, `${leaves.length} leaves`)
})

test('a speaker that restarts hands over until it can announce again', async () => {
  const net = new Net()
  const [a] = await net.three()
  net.network.kill('10.0.0.2')
  const again = await net.speaker('b')
  net.clock.advance(10)
  assert.deepEqual(a.events, ['-b'])
  again.speaker.activate()
  net.clock.advance(10)
  assert.deepEqual(a.events, ['-b', '+b'])
})

test('what one says of itself the others know at once, not with the next packet that is due', async () => {
  const net = new Net()
  const [a, b] = await net.three()
  const of = () => b.speaker.evidence().get('a')
  assert.deepEqual([of()?.held, of()?.interfaces], [undefined, undefined])
  a.speaker.hold(true)
  net.clock.advance(0)
  assert.equal(of()?.held, true)
  a.speaker.publish(['eth0'])
  net.clock.advance(0)
  assert.deepEqual(of()?.interfaces, ['eth0'])
  a.speaker.hold(false)
  net.clock.advance(0)
  assert.equal(of()?.held, undefined)
  const { sent } = net.network
  a.speaker.rejoin()
  assert.equal(net.network.sent, sent + 2, 'a packet to each')
})

test('another key is another cluster', async () => {
  const net = new Net()
  const [a, b] = [await net.speaker('a'), await net.speaker('b', hmacSha256(new Uint8Array(16)))]
  for (const { speaker } of [a, b]) speaker.activate()
  net.clock.advance(3000)
  assert.deepEqual([a.members(), b.members()], ['a', 'b'])
  assert.deepEqual([new Set(a.refusals), new Set(b.refusals)], [new Set(['BAD_HMAC']), new Set(['BAD_HMAC'])])
})

test('noise on the port harms nothing', async () => {
  const net = new Net()
  const [a] = await net.three()
  const noise = net.network.open('10.0.0.66', PORT)
  const random = new FakeRandom(5)
  for (let length = 0; length < 500; length++) noise.send(random.bytes(length), '10.0.0.1', PORT)
  net.clock.advance(1000)
  assert.deepEqual([a.members(), a.events], ['abc', []])
})
