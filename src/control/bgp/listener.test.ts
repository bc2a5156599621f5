import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Address, parseAddress } from '../../core/ip/index.ts'
import type {
  Stream,
  StreamAcceptor,
  StreamEvents,
  StreamListenOptions,
  StreamPort,
  StreamTarget,
} from '../../ports/index.ts'
import { aBgpPeer } from '../../testing/bgp-peer.ts'
import { BgpWorld, OURS } from '../../testing/bgp-world.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { FakeLog } from '../../testing/fake-log.ts'
import { FakeMetrics } from '../../testing/fake-metrics.ts'
import { type ListenAt, Listener } from './listener.ts'

const ip = (text: string) => parseAddress(text)!
const settle = () => new Promise(resolve => setImmediate(resolve))

/** Sockets of a host that are open, by family and device, and what they were told last. */
class Sockets {
  readonly open = new Map<string, { options: StreamListenOptions; accept: StreamAcceptor }>()
  fails: string | undefined
  readonly streams: StreamPort = {
    connect: () => assert.fail('a listener does not dial'),
    listen: async (options, accept) => {
      if (this.fails !== undefined) throw new Error(this.fails)
      const key = `${options.address?.family} ${options.device ?? '-'}`
      assert.ok(!this.open.has(key))
      this.open.set(key, { options, accept })
      return {
        close: async () => void this.open.delete(key),
        adjust: to => void this.open.set(key, { options: { ...options, ...to }, accept }),
      }
    },
  }

  /** Somebody connects: whether he was let in. */
  connect(key: string, from: string, scope?: string): boolean {
    const remote = { address: ip(from), port: 40_000, ...(scope && { scope }) }
    const stream: Stream = { local: undefined, remote, write: () => true, end() {}, destroy() {} }
    return this.open.get(key)?.accept(stream) === quiet
  }
}

const quiet: StreamEvents = { connected() {}, data() {}, drained() {}, closed() {} }

function setUp(at: ListenAt = { port: 179 }) {
  const [sockets, clock, log, metrics] = [new Sockets(), new FakeClock(), new FakeLog(), new FakeMetrics()]
  let targets: StreamTarget[] = []
  let accepts = true
  const peers = () =>
    targets.map(target => ({
      target,
      refusal: undefined,
      accept: () => (accepts ? quiet : undefined),
      turnedAway: () => {},
    }))
  const listener = new Listener(at, peers, { streams: sockets.streams, clock, log, metrics })
  const set = async (...changed: (Partial<StreamTarget> & { address: Address })[]) => {
    targets = changed.map(one => ({ port: 179, ...one }))
    listener.sync()
    await settle()
  }
  const refuse = () => {
    accepts = false
  }
  return { sockets, clock, log, metrics, listener, set, refuse }
}

test('a socket is open exactly where peers may come from: by family and VRF', async () => {
  const { sockets, set, listener } = setUp()
  await set()
  assert.deepEqual([...sockets.open.keys()], [])
  await set({ address: ip('192.0.2.1') }, { address: ip('2001:db8::1') }, { address: ip('192.0.2.1'), device: 'red' })
  assert.deepEqual([...sockets.open.keys()].sort(), ['ipv4 -', 'ipv4 red', 'ipv6 -'])
  await set({ address: ip('2001:db8::1') })
  assert.deepEqual([...sockets.open.keys()], ['ipv6 -'])
  await listener.close()
  assert.deepEqual([...sockets.open.keys()], [])
})

test('an address of our own is of one family', async () => {
  const { sockets, set } = setUp({ port: 1790, address: OURS })
  await set({ address: ip('192.0.2.1') }, { address: ip('2001:db8::1') })
  const [[key, { options }] = assert.fail('no socket')] = sockets.open
  assert.deepEqual([sockets.open.size, key, options.address, options.port], [1, 'ipv4 -', OURS, 1790])
})

test('only configured peers are let in, by address, VRF and interface; others are counted, and told now and then', async () => {
  const { sockets, set, log, metrics, clock } = setUp()
  await set(
    { address: ip('192.0.2.1') },
    { address: ip('192.0.2.2'), device: 'red' },
    { address: ip('fe80::1'), scope: 'eth1' },
  )
  assert.deepEqual(
    [
      sockets.connect('ipv4 -', '192.0.2.1'),
      sockets.connect('ipv4 red', '192.0.2.2'),
      sockets.connect('ipv6 -', 'fe80::1', 'eth1'),
    ],
    [true, true, true],
  )
  assert.deepEqual(log.lines, [])
  assert.deepEqual(
    [
      sockets.connect('ipv4 -', '192.0.2.2'),
      sockets.connect('ipv4 red', '192.0.2.1'),
      sockets.connect('ipv6 -', 'fe80::1', 'eth2'),
      ...Array.from({ length: 97 }, () => sockets.connect('ipv4 -', '198.51.100.1')),
    ],
    new Array(100).fill(false),
  )
  assert.equal(metrics.series.get('metallb_bgp_connections_refused_total{reason="unknownPeer"}'), 100)
  const counts = () => log.lines.map(({ level, fields }) => [level, fields.peer, fields.reason, fields.count])
  assert.deepEqual(counts(), [['warn', '192.0.2.2', 'unknownPeer', 1]])
  clock.advance(10_000)
  sockets.connect('ipv4 -', '198.51.100.2')
  assert.deepEqual(counts()[1], ['warn', '198.51.100.2', 'unknownPeer', 100])
  assert.equal(log.lines.length, 2)
})

test('a peer that is not wanted now is no stranger', async () => {
  const { sockets, set, refuse, log } = setUp()
  await set({ address: ip('192.0.2.1') })
  refuse()
  assert.equal(sockets.connect('ipv4 -', '192.0.2.1'), false)
  assert.deepEqual([log.lines[0]?.level, log.lines[0]?.fields.reason], ['info', 'notExpected'])
})

const near = { ttl: 255, minTtl: 255 }
const SOCKETS: [name: string, targets: Partial<StreamTarget>[], wanted: Partial<StreamListenOptions>][] = [
  ['no demands', [{}], { keys: [] }],
  ['all are near', [near, { ttl: 255, minTtl: 254 }], { keys: [], ttl: 255, minTtl: 254 }],
  ['one is far: what is sent must still reach the near one', [near, {}], { keys: [], ttl: 255, minTtl: undefined }],
]
for (const [name, targets, wanted] of SOCKETS)
  test(`the socket is as strict as the least strict peer: ${name}`, async () => {
    const { sockets, set } = setUp()
    await set(...targets.map((target, index) => ({ address: ip(`192.0.2.${index + 1}`), ...target })))
    const { keys, ttl, minTtl } = sockets.open.get('ipv4 -')!.options
    assert.deepEqual({ keys, ttl, minTtl }, { ttl: undefined, minTtl: undefined, ...wanted })
  })

test('the keys of all peers are on the socket, and follow their changes', async () => {
  const { sockets, set } = setUp()
  const keys = () =>
    sockets.open.get('ipv4 -')!.options.keys?.map(({ md5Password, aoKeys }) => md5Password ?? aoKeys?.length)
  const aoKeys = [{ sendId: 1, receiveId: 1, algorithm: 'hmac-sha-1-96', secret: 'x' }] as const
  await set(
    { address: ip('192.0.2.1'), md5Password: 'a' },
    { address: ip('192.0.2.2') },
    { address: ip('192.0.2.3'), aoKeys },
  )
  assert.deepEqual(keys(), ['a', 1])
  await set({ address: ip('192.0.2.1'), md5Password: 'b' })
  assert.deepEqual(keys(), ['b'])
})

test('a port that is taken is told once and tried again', async () => {
  const { sockets, set, log, clock } = setUp()
  sockets.fails = 'listen EADDRINUSE'
  await set({ address: ip('192.0.2.1') })
  clock.advance(20_000)
  await settle()
  assert.deepEqual(
    log.lines.map(({ fields }) => fields.error),
    ['listen EADDRINUSE'],
  ) // prettier-ignore
  sockets.fails = undefined
  clock.advance(5000)
  await settle()
  assert.equal(sockets.open.size, 1)
  assert.equal(clock.armed, 0)
})

test('a passive peer is waited for, and never dialled', async () => {
  const world = new BgpWorld({ listens: true })
  const router = await world.router('192.0.2.1', { passive: false, listens: false }, 179)
  world.peers(aBgpPeer({ passive: true }))
  await settle()
  world.up()
  assert.deepEqual(world.sources, [])
  assert.equal(router.status.state, 'established')
})

test('a passive peer without a listener is an error aloud', () => {
  const world = new BgpWorld()
  world.peers(aBgpPeer({ passive: true }))
  const [line] = world.lines('failed to create BGP session')
  assert.match(String(line?.fields.error), /does not listen: see --bgp-listen-port/)
})

test('where both dial there is one session in the end', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const world = new BgpWorld({ listens: true, seed })
    const router = await world.router('192.0.2.1', { passive: false }, 179)
    world.peers(aBgpPeer())
    await settle()
    world.up()
    world.clock.advance(5000)
    assert.deepEqual([world.streams.connections, router.status.establishedCount], [1, 1], `seed ${seed}`)
    assert.equal(world.lines('BGP session down').length, 0)
  }
})

test('109 a password that no kernel takes costs this peer its session, and no other', async () => {
  const world = new BgpWorld()
  await world.router('192.0.2.2')
  const other = aBgpPeer({ name: 'tor-b', endpoint: { address: ip('192.0.2.2') } })
  world.peers(aBgpPeer({ password: 'x'.repeat(81) }), other)
  const [line] = world.lines('failed to create BGP session')
  assert.deepEqual(
    [line?.fields.bgpPeer, line?.fields.error],
    ['tor-a', 'the password has 81 bytes, at most 80 are possible'],
  )
  world.up('tor-b')
  world.peers(aBgpPeer({ password: 'x' }), { ...other, password: 'a\n' })
  assert.deepEqual([...world.bgp.sessions.keys()], ['tor-a'])
})
