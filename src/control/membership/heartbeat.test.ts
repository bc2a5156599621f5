import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hmacSha256 } from '../../adapters/system/hmac.ts'
import { type PodResource, pods } from '../../api/kubernetes/index.ts'
import { silent } from '../../ports/index.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { FakeKube } from '../../testing/fake-kube.ts'
import { FakeLog } from '../../testing/fake-log.ts'
import { FakeNetwork } from '../../testing/fake-network.ts'
import { FakeRandom } from '../../testing/fake-random.ts'
import { disabledMembership, HeartbeatMembership, type HeartbeatOptions } from './index.ts'

const key = hmacSha256(new TextEncoder().encode('secret'))
const ADDRESSES = { a: '10.0.0.1', b: '10.0.0.2', c: '10.0.0.3' }
type Name = keyof typeof ADDRESSES

class Net {
  readonly clock = new FakeClock()
  readonly network = new FakeNetwork(this.clock, new FakeRandom())
  readonly log = new FakeLog()
  #seed = 10

  /** A speaker on the node, started; it knows the addresses of all nodes unless the test says otherwise. */
  async speaker(node: Name, change: Partial<HeartbeatOptions> = {}) {
    const speaker = new HeartbeatMembership({
      node,
      open: async () => this.network.open(ADDRESSES[node], 7946),
      port: 7946,
      clock: this.clock,
      random: new FakeRandom(this.#seed++),
      log: this.log,
      hmac: key,
      peers: Object.values(ADDRESSES).filter(address => address !== ADDRESSES[node]),
      ...change,
    })
    await speaker.start()
    const events: string[] = []
    speaker.subscribe(event => events.push(`${event.kind} ${event.node}`))
    return { speaker, events, members: () => [...speaker.members()].sort().join('') }
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

test('three speakers find one another; each is a member from its activation on', async () => {
  const net = new Net()
  const [a, b, c] = [await net.speaker('a'), await net.speaker('b'), await net.speaker('c')]
  net.clock.advance(10)
  assert.deepEqual(
    [a, b, c].map(({ speaker }) => speaker.ready()),
    [true, true, true],
  )
  assert.deepEqual(
    [a, b, c].map(({ members }) => members()),
    ['a', 'b', 'c'],
  )
  b.speaker.activate()
  net.clock.advance(1)
  assert.deepEqual(
    [a, b, c].map(({ members }) => members()),
    ['ab', 'b', 'bc'],
  )
  const line = net.log.lines.find(({ fields }) => fields.msg === 'node event - forcing sync')
  assert.deepEqual(line?.fields, {
    msg: 'node event - forcing sync',
    'node addr': '10.0.0.2',
    'node name': 'b',
    'node event': 'NodeJoin',
  })
})

test('alone it has joined when its peers had 1.5 s to answer', async () => {
  const net = new Net()
  const { speaker } = await net.speaker('a')
  let joined = false
  void speaker.whenJoined().then(() => {
    joined = true
  })
  await net.clock.advanceAsync(1499)
  assert.deepEqual([speaker.joined, joined], [false, false])
  await net.clock.advanceAsync(1)
  assert.deepEqual([speaker.joined, joined], [true, true])
  assert.ok(net.log.lines.some(({ fields }) => fields.msg === 'partial join' && fields.expected === 2))
})

test('with no peers at all it has joined at once', async () => {
  const { speaker } = await new Net().speaker('a', { peers: [] })
  assert.equal(speaker.joined, true)
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
    assert.deepEqual(a.events, ['NodeLeave c'])
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
  assert.deepEqual([a.events, b.events], [['NodeLeave c'], ['NodeLeave c']])
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

test('ten minutes with 20 % loss and reordering: nobody is declared dead by mistake', async () => {
  const net = new Net()
  const all = await net.three()
  Object.assign(net.network, { loss: 0.2, delayMs: 1, jitterMs: 50 })
  for (let second = 0; second < 600; second++) net.clock.advance(1000)
  const leaves = all.flatMap(({ events }) => events.filter(event => event.startsWith('NodeLeave')))
  assert.ok(leaves.length <= 2, `${leaves.length} leaves`)
})

test('a speaker that restarts hands over until it can announce again', async () => {
  const net = new Net()
  const [a] = await net.three()
  net.network.kill('10.0.0.2')
  const again = await net.speaker('b')
  net.clock.advance(10)
  assert.deepEqual(a.events, ['NodeLeave b'])
  again.speaker.activate()
  net.clock.advance(10)
  assert.deepEqual(a.events, ['NodeLeave b', 'NodeJoin b'])
})

test('another key is another cluster, and is complained about once a minute', async () => {
  const net = new Net()
  const a = await net.speaker('a')
  const b = await net.speaker('b', { hmac: hmacSha256(new Uint8Array(16)) })
  for (const { speaker } of [a, b]) speaker.activate()
  net.clock.advance(3000)
  assert.deepEqual([a.members(), b.members()], ['a', 'b'])
  const complaints = net.log.lines.filter(({ fields }) => fields.code === 'BAD_HMAC')
  assert.equal(complaints.length, 2) // one by each side
})

test('noise on the port harms nothing', async () => {
  const net = new Net()
  const [a] = await net.three()
  const noise = net.network.open('10.0.0.66', 7946)
  const random = new FakeRandom(5)
  for (let length = 0; length < 500; length++) noise.send(random.bytes(length), '10.0.0.1', 7946)
  net.clock.advance(1000)
  assert.deepEqual([a.members(), a.events], ['abc', []])
})

function pod(name: Name, change: PodResource['status'] = {}): PodResource {
  const status = { phase: 'Running', podIP: ADDRESSES[name], ...change }
  return { metadata: { name: `speaker-${name}`, namespace: 'metallb-system' }, spec: { nodeName: name }, status }
}

test('62 peers come from pods: no address yet, ended pods and the own pod are left out', async () => {
  const net = new Net()
  const kube = new FakeKube()
  kube.put(pods, pod('a'))
  kube.put(pods, pod('b', { podIP: undefined }))
  kube.put(pods, pod('c', { phase: 'Failed' }))
  const b = await net.speaker('b', { peers: ['10.0.0.1'] })
  const a = await net.speaker('a', { peers: { pods: kube.informer(pods), family: 'ipv4' } })
  await new Promise(resolve => setImmediate(resolve))
  assert.equal(a.speaker.joined, true)
  b.speaker.activate()
  const sent = net.network.sent
  kube.put(pods, pod('b', { podIP: 'fd00::2', podIPs: [{ ip: 'fd00::2' }, { ip: '10.0.0.2' }] }))
  assert.equal(net.network.sent, sent + 1)
  net.clock.advance(10)
  assert.equal(a.members(), 'ab')
  assert.ok(net.log.lines.every(({ level }) => level !== 'error'))
})

test('where discovery never answers, the wait ends after 5 s; a late answer after the stop is ignored', async () => {
  const net = new Net()
  let synced = () => {}
  const whenSynced = new Promise<void>(resolve => {
    synced = resolve
  })
  const subscribe = () => assert.fail('it was stopped')
  const late = { synced: false, whenSynced: () => whenSynced, get: () => undefined, list: () => [], subscribe }
  const { speaker } = await net.speaker('a', { peers: { pods: late, family: 'ipv4' } })
  await net.clock.advanceAsync(4999)
  assert.equal(speaker.ready(), 'waiting for the other speakers to answer')
  await net.clock.advanceAsync(1)
  assert.equal(speaker.ready(), true)
  const stopped = speaker.stop()
  await net.clock.advanceAsync(100, 20)
  await stopped
  synced()
  await new Promise(resolve => setImmediate(resolve))
  assert.equal(net.clock.armed, 0)
})

test('membership off: every Node counts, nothing is waited for', async () => {
  const membership = disabledMembership(silent)
  await membership.whenJoined()
  assert.deepEqual([membership.members(), membership.joined], [undefined, true])
})
