import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hmacSha256 } from '../../adapters/system/hmac.ts'
import { pods } from '../../api/kubernetes/index.ts'
import { parseAddress } from '../../core/ip/index.ts'
import type { DirectEvidence, Heartbeats } from '../../ports/index.ts'
import { FAST_LAN } from '../../protocols/memberlist/index.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { FakeKube } from '../../testing/fake-kube.ts'
import { FakeLog } from '../../testing/fake-log.ts'
import { FakeNetwork } from '../../testing/fake-network.ts'
import { FakeRandom } from '../../testing/fake-random.ts'
import { FakeStreams } from '../../testing/fake-stream.ts'
import { SimulatedHeartbeats } from '../../testing/simulated-heartbeats.ts'
import { CombinedMembership, Majority, MemberlistMembership, type Peers } from './index.ts'

const ADDRESSES = { a: '10.0.0.1', b: '10.0.0.2', c: '10.0.0.3', d: '10.0.0.4' }
type Name = keyof typeof ADDRESSES

interface SpeakerChange {
  heartbeats?: boolean
  direct?: Heartbeats
  majority?: Majority
  holdDownMs?: number
  peers?: Peers
}

/** Their evidence is what the test says. */
class SaidHeartbeats implements Heartbeats {
  readonly #evidence = new Map<string, DirectEvidence>()
  #watcher = () => {}
  async start() {}
  async stop() {}
  evidence() {
    return this.#evidence
  }
  watch(watcher: () => void) {
    this.#watcher = watcher
  }
  say(node: string, evidence: DirectEvidence) {
    this.#evidence.set(node, evidence)
    this.#watcher()
  }
  rejoin() {}
  activate() {}
  publish() {}
  hold() {}
}

class Net {
  readonly clock = new FakeClock()
  readonly network = new FakeNetwork(this.clock, new FakeRandom(3))
  readonly streams = new FakeStreams(this.clock, new FakeRandom(4))
  readonly log = new FakeLog()
  /** Its memberlist, which runs on the main thread, hears nothing. */
  deaf: Name | undefined
  #seed = 10

  async speaker(node: Name, { heartbeats = true, direct: given, peers: found, ...change }: SpeakerChange = {}) {
    const { clock, log } = this
    const address = parseAddress(ADDRESSES[node])!
    const peers = found ?? Object.values(ADDRESSES).filter(text => text !== ADDRESSES[node])
    const common = { node, clock, log, peers, random: new FakeRandom(this.#seed++) }
    const memberlist = new MemberlistMembership({
      ...{ ...common, address, port: 7946, config: FAST_LAN, streams: this.streams.host(address), heartbeats },
      open: async () => {
        const socket = this.network.open(ADDRESSES[node], 7946)
        return { ...socket, receive: listener => socket.receive(packet => this.deaf === node || listener(packet)) }
      },
    })
    const usual = new SimulatedHeartbeats({
      ...{ ...common, port: 7947, hmacs: [hmacSha256(new Uint8Array(16))] },
      open: async () => this.network.open(ADDRESSES[node], 7947),
    })
    const options = { node, memberlist, trustMs: 10_000, clock, log, ...change }
    const speaker = new CombinedMembership({ ...options, ...(heartbeats && { heartbeats: given ?? usual }) })
    await speaker.start()
    const events: string[] = []
    speaker.subscribe(event => events.push(`${event.kind} ${event.node}`))
    return { speaker, memberlist, events, members: () => [...speaker.members()].sort().join('') }
  }

  /** All four, able to announce. */
  async four(without: SpeakerChange = {}) {
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
  const msg = 'node event - forcing sync'
  const line = net.log.lines.find(({ fields }) => fields.msg === msg && fields['node name'] === 'b')
  const { 'node addr': address, 'node event': kind } = line!.fields
  assert.deepEqual([line!.level, address, kind], ['info', ADDRESSES.b, 'NodeJoin'])
})

test('62 a pod without an address is no error, and is joined once it has one', async () => {
  const net = new Net()
  const kube = new FakeKube()
  const pod = (node: Name, podIP: string) =>
    kube.put(pods, { metadata: { name: node, namespace: 'm' }, spec: { nodeName: node }, status: { podIP } })
  pod('a', ADDRESSES.a)
  pod('b', '')
  const [a, b] = [
    await net.speaker('a', { peers: { pods: kube.informer(pods), family: 'ipv4' } }),
    await net.speaker('b', { peers: [] }),
  ]
  await net.clock.advanceAsync(10_000, 10)
  b.speaker.activate()
  assert.deepEqual([a.speaker.joined, a.members()], [true, 'a'])
  pod('b', ADDRESSES.b)
  await net.clock.advanceAsync(500, 10)
  assert.deepEqual([a.members(), b.members()], ['ab', 'b'])
  assert.deepEqual(
    net.log.lines.filter(({ level }) => level === 'error' || level === 'warn').map(({ fields }) => fields.warning),
    Array(2).fill('no ml-secret-key set, memberlist traffic will not be encrypted'),
  )
})

test('a dead node counts no more after 0.25 to 0.36 s, by the witness of another', async () => {
  const net = new Net()
  const [a, b, c] = await net.four()
  net.network.kill(ADDRESSES.d)
  await net.clock.advanceAsync(240, 10)
  assert.deepEqual(
    [a!, b!, c!].flatMap(({ events }) => events),
    [],
  )
  await net.clock.advanceAsync(120, 10)
  assert.deepEqual(
    [a!, b!, c!].map(({ events }) => events),
    Array(3).fill(['NodeLeave d']),
  )
})

test('a dead node does not count again where the witness of its death leaves', async () => {
  const net = new Net()
  const [a, b, c] = await net.four()
  void b!.speaker.stop()
  await net.clock.advanceAsync(2000, 10)
  a!.events.length = 0
  net.network.kill(ADDRESSES.d)
  await net.clock.advanceAsync(400, 10)
  void c!.speaker.stop()
  await net.clock.advanceAsync(1500, 10)
  assert.deepEqual(a!.events, ['NodeLeave d', 'NodeLeave c'])
})

test('who asks between two turns is told where that was not the last word, though all is as it was', async () => {
  const net = new Net()
  const direct = new SaidHeartbeats()
  const [, , , d] = await net.four({ direct })
  const heard = (at: 'alive' | 'dead', ...witnesses: string[]) => {
    const said = { joining: false, deaf: false, heardMs: net.clock.monotonic(), interfaces: undefined }
    direct.say('b', { ...said, at, witnesses })
  }
  heard('alive')
  net.clock.advance(5)
  d!.events.length = 0
  heard('dead', 'c')
  assert.equal(d!.members(), 'acd')
  heard('alive')
  net.clock.advance(5)
  assert.deepEqual([d!.members(), d!.events], ['abcd', ['NodeJoin b']])
  heard('dead', 'c')
  heard('alive')
  net.clock.advance(5)
  assert.deepEqual([d!.members(), d!.events.length], ['abcd', 1], 'what nobody saw is not told')
})

test('who is heard and is no member, as after a cut, is looked for at once, and again after half a second', async () => {
  const net = new Net()
  const direct = new SaidHeartbeats()
  const [, , , d] = await net.four({ direct })
  const looks = () => net.log.lines.filter(({ fields }) => fields.msg === 'triggering discovery').length
  const said = { joining: false, deaf: false, heardMs: 0, interfaces: undefined, witnesses: [] }
  direct.say('z', { ...said, at: 'dead' })
  await net.clock.advanceAsync(1000, 10)
  assert.equal(looks(), 0)
  direct.say('z', { ...said, at: 'alive' })
  await net.clock.advanceAsync(10)
  assert.equal(looks(), 1)
  await net.clock.advanceAsync(480, 10)
  assert.equal(looks(), 1)
  await net.clock.advanceAsync(30, 10)
  assert.equal(looks(), 2)
  assert.equal(d!.members(), 'abcd')
})

test('IMP-25 what a member publishes is known everywhere at once, by heartbeat, and without them by gossip', async () => {
  for (const heartbeats of [true, false]) {
    const net = new Net()
    const [, b, , d] = await net.four({ heartbeats })
    const published = () => [...b!.speaker.interfaces()].map(([node, names]) => [node, ...names].join(' ')).sort()
    assert.deepEqual(published(), [])
    d!.speaker.publish(['eth1', 'eth0'])
    await net.clock.advanceAsync(heartbeats ? 2 : 300, 1)
    assert.deepEqual(published(), ['d eth0 eth1'])
    assert.equal(b!.events[0], 'NodeUpdate d')
    d!.speaker.publish([])
    await net.clock.advanceAsync(heartbeats ? 2 : 300, 1)
    assert.deepEqual([published(), [...d!.speaker.interfaces().keys()]], [['d'], ['d']])
    await net.clock.advanceAsync(500, 10)
    assert.ok(b!.events.length <= 4 && b!.events.every(event => event === 'NodeUpdate d'), b!.events.join())
    net.network.kill(ADDRESSES.d)
    net.streams.silent = true
    await net.clock.advanceAsync(heartbeats ? 400 : 6000, 20)
    assert.deepEqual(published(), [], 'who is gone publishes nothing')
  }
})

test('a node that memberlist cannot reach but that is heard is not given up', async () => {
  const net = new Net()
  const [a] = await net.four()
  net.deaf = 'd'
  net.streams.silent = true
  await net.clock.advanceAsync(10_000, 20)
  assert.deepEqual([a!.members(), a!.events], ['abcd', []])
  assert.ok(!net.log.lines.some(({ fields }) => /no acks received/.test(String(fields.msg))), 'nor suspected')
  net.network.kill(ADDRESSES.d)
  await net.clock.advanceAsync(360, 10)
  assert.deepEqual(a!.members(), 'abc')
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

test('30 whom memberlist suspects is a candidate as before, until it is dead', async () => {
  const net = new Net()
  const [a, , , d] = await net.four({ heartbeats: false })
  const { memberlist } = a!
  const stateOf = () => memberlist.present().get('d')?.suspect
  net.network.kill(ADDRESSES.d)
  net.streams.silent = true
  for (let ms = 0; ms < 20_000 && stateOf() === false; ms += 10) await net.clock.advanceAsync(10, 10)
  assert.deepEqual([stateOf(), a!.members(), a!.events, d!.members()], [true, 'abcd', [], 'abcd'])
  for (let ms = 0; ms < 20_000 && stateOf() === true; ms += 10) await net.clock.advanceAsync(10, 10)
  assert.deepEqual([stateOf(), memberlist.gone().get('d'), a!.members()], [undefined, 'dead', 'abc'])
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
  d!.speaker.publish(['eth0']) // anything that makes it look once more, with its ears closed
  assert.deepEqual([d!.members(), d!.events], ['abcd', []], 'it does not take the others for gone while it closes')
})

test('IMP-6: who loses the majority is told at once, though it counts on the others for longer; and when it is back', async () => {
  const net = new Net()
  const kube = new FakeKube()
  for (const node of Object.keys(ADDRESSES))
    kube.put(pods, { metadata: { name: node, namespace: 'm' }, spec: { nodeName: node } })
  const [, , , d] = await net.four({ majority: new Majority(kube.informer(pods)) })
  const said = () =>
    net.log.lines.filter(({ fields }) => fields.op === 'majority').map(line => Object.values(line.fields))
  assert.deepEqual([d!.speaker.minority(), said()], [undefined, []])
  net.network.partition([ADDRESSES.d], [ADDRESSES.a, ADDRESSES.b, ADDRESSES.c])
  await net.clock.advanceAsync(400, 10)
  assert.deepEqual([d!.speaker.minority(), d!.members()], [{ seen: 1, expected: 4 }, 'abcd'])
  assert.deepEqual([...new Set(d!.events)], ['NodeUpdate d'])
  net.network.heal()
  await net.clock.advanceAsync(300, 10)
  assert.equal(d!.speaker.minority(), undefined)
  assert.deepEqual(said().at(-1), ['majority', 'a majority of the speakers is seen again'])
  d!.events.length = 0
  for (const name of ['x', 'y', 'z', 'u']) // their speakers are expected and not seen
    kube.put(pods, { metadata: { name, namespace: 'm' }, spec: { nodeName: name } })
  net.clock.advance(5) // listeners hear of it once a turn, and 5 ms after the last
  assert.deepEqual([d!.speaker.minority(), d!.events], [undefined, []]) // a, of the lowest name, is in this half
  kube.put(pods, { metadata: { name: 'v', namespace: 'm' }, spec: { nodeName: 'v' } })
  net.clock.advance(5)
  assert.deepEqual([d!.speaker.minority(), d!.events], [{ seen: 4, expected: 9 }, ['NodeUpdate d']])
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

test('IMP-4 who comes back to settled ones is held, and all hear of it; in a cold start nobody is', async () => {
  const net = new Net()
  const HOLD_MS = 30_000
  const start = (node: Name) => net.speaker(node, { holdDownMs: HOLD_MS })
  const [a, b] = [await start('a'), await start('b')]
  await net.clock.advanceAsync(2000, 10)
  const held = (...speakers: { speaker: CombinedMembership }[]) =>
    speakers.map(({ speaker }) => [...speaker.held()].join(''))
  assert.deepEqual(held(a, b), ['', ''])
  await net.clock.advanceAsync(HOLD_MS, 10)
  const c = await start('c')
  await net.clock.advanceAsync(2000, 10)
  assert.deepEqual(held(a, b, c), ['c', 'c', 'c'])
  c.events.length = 0
  while (held(c).join() !== '') await net.clock.advanceAsync(1)
  assert.ok(c.events.includes('NodeUpdate c'), 'it takes what it is to have')
  await net.clock.advanceAsync(45)
  assert.deepEqual(held(a, b), ['c', 'c'], 'nobody gives up yet')
  await net.clock.advanceAsync(10)
  assert.deepEqual(held(a, b, c), ['', '', ''])
})
