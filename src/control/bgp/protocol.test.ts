import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress, parsePrefix } from '../../core/ip/index.ts'
import type { ServiceRoute } from '../../core/plan/index.ts'
import { aBgpPeer } from '../../testing/bgp-peer.ts'
import { OURS, BgpWorld as World } from '../../testing/bgp-world.ts'
import { anInterface } from '../../testing/fake-speaker.ts'

const ip = (text: string) => parseAddress(text)!

test('102, 103 the series follow the session, and go with it', async () => {
  const world = new World()
  const router = await world.router()
  world.peers(aBgpPeer())
  assert.deepEqual([world.series('session_up'), world.series('announced_prefixes_total')], [0, 0])
  assert.equal(world.series('updates_total'), undefined)
  world.bgp.complete()
  await world.announce('default/web', ...[1, 2, 3, 4, 5].map(n => `203.0.113.${n}/32`))
  world.up()
  world.until(() => world.told().length === 5)
  assert.deepEqual([world.series('session_up'), world.series('pending_prefixes_total')], [1, 5])
  world.clock.advance(100)
  const updates = world.series('updates_total')!
  await world.announce('default/web', ...[1, 2, 3, 4].map(n => `203.0.113.${n}/32`))
  world.until(() => world.bgp.sessions.get('tor-a')?.status.told === 4)
  assert.deepEqual([world.series('announced_prefixes_total'), world.series('updates_total')], [4, updates + 1])
  world.clock.advance(40_000)
  const { sent, received } = world.bgp.sessions.get('tor-a')!.status
  assert.deepEqual([world.series('opens_sent'), world.series('opens_received')], [1, 1])
  assert.deepEqual(
    [world.series('keepalives_sent'), world.series('keepalives_received')],
    [sent.keepalive, received.keepalive],
  )
  assert.ok(received.keepalive > 1)
  const total = Object.values(sent).reduce((sum, count) => sum + count, 0)
  assert.equal(world.series('total_sent'), total)
  router.stop({ kind: 'reset', text: 'maintenance' })
  world.until(() => world.series('session_up') === 0)
  assert.deepEqual([world.series('announced_prefixes_total'), world.series('pending_prefixes_total')], [0, 4])
  world.peers()
  assert.deepEqual([...world.metrics.series.keys()], [])
})

test('what a session says: up, down with the reason in words, and who', async () => {
  const world = new World()
  const router = await world.router()
  world.peers(aBgpPeer())
  world.up()
  const who = { peer: '192.0.2.1', localASN: 64500, peerASN: 64501 }
  const [up] = world.lines('BGP session established')
  assert.deepEqual([up?.level, up?.fields.event, up?.fields.peer], ['info', 'sessionUp', who.peer])
  router.stop({ kind: 'reset', text: 'maintenance' })
  world.until(() => world.lines('BGP session down').length === 1)
  const [down] = world.lines('BGP session down')
  const reason = 'got BGP notification code 0x0604 (Administrative Reset): "maintenance"'
  assert.deepEqual(down, {
    level: 'warn',
    fields: { ...who, bgpPeer: 'tor-a', event: 'sessionDown', reason, msg: 'BGP session down' },
  })
  assert.equal(world.lines('peer sent notification, closing session')[0]?.fields.error, reason)
  assert.deepEqual(world.recorder.events, [
    'Normal bgpSessionUp BGP session of node "worker-a" established',
    `Warning bgpSessionDown BGP session of node "worker-a" is down: ${reason}`,
  ])
})

test('34 another ASN than wanted is an error that names both', async () => {
  const world = new World()
  await world.router('192.0.2.1', { localAsn: 64502 })
  world.peers(aBgpPeer())
  world.until(() => world.lines('failed to connect to peer').length > 0)
  assert.match(
    String(world.lines('failed to connect to peer')[0]?.fields.error),
    /unexpected peer ASN 64502, want 64501/,
  )
})

test('26 a change of one peer leaves the others alone; one that is gone is told so', async () => {
  const world = new World()
  await world.router('192.0.2.1')
  await world.router('192.0.2.2')
  const other = aBgpPeer({ name: 'tor-b', endpoint: { address: ip('192.0.2.2') } })
  world.peers(aBgpPeer(), other)
  world.up('tor-a')
  world.up('tor-b')
  world.peers(aBgpPeer({ holdMs: 30_000 }), other)
  assert.equal(world.bgp.sessions.get('tor-b')?.status.state, 'established')
  world.up('tor-a')
  assert.equal(world.bgp.sessions.get('tor-a')?.status.agreed?.holdMs, 30_000)
  world.peers(other)
  assert.deepEqual(
    world.lines('peer deconfigured, closing BGP session').map(({ fields }) => [fields.peer, fields.reason]),
    [
      ['192.0.2.1', 'changedInConfig'],
      ['192.0.2.1', 'removedFromConfig'],
    ],
  )
  assert.deepEqual([...world.bgp.sessions.keys()], ['tor-b'])
})

test('61 a source address that is absent is warned about once, and used when it appears', async () => {
  const world = new World()
  world.peers(aBgpPeer({ sourceAddress: ip('192.0.2.77') }))
  world.until(() => world.sources.length > 2)
  assert.deepEqual([...new Set(world.sources)], [undefined])
  const warnings = world.lines('source address not usable, the system chooses')
  assert.deepEqual(
    warnings.map(({ fields }) => fields.error),
    ['address "192.0.2.77" doesn\'t exist on this host'],
  )
  const appeared = { address: ip('192.0.2.77'), length: 24 }
  world.interfaces.set(anInterface('eth0', { addresses: [{ address: OURS, length: 24 }, appeared] }))
  await world.router()
  world.up()
  assert.deepEqual(world.sources.at(-1), ip('192.0.2.77'))
})

test('64 a prefix that cannot be sent is named with the reason, the others are sent', async () => {
  const world = new World()
  await world.router()
  await world.announce('default/web', '203.0.113.7/32', '2001:db8:beef::7/128')
  world.peers(aBgpPeer({ dualStackAddressFamily: true }))
  world.up()
  world.until(() => world.lines('failed to send BGP update').length > 0)
  const [line] = world.lines('failed to send BGP update')
  assert.deepEqual([line?.fields.prefix, line?.fields.op], ['2001:db8:beef::7/128', 'sendUpdate'])
  assert.match(String(line?.fields.error), /no IPv6 next hop/)
  assert.deepEqual(world.told(), ['203.0.113.7/32'])
})

test('22 a Service is announced to the peers that its routes are meant for', async () => {
  const world = new World()
  const changed: string[] = []
  world.bgp.onChange(service => changed.push(service))
  world.peers(aBgpPeer(), aBgpPeer({ name: 'tor-b', endpoint: { address: ip('2001:db8::2') } }))
  await world.announce('default/web', '203.0.113.7/32')
  assert.deepEqual(world.bgp.peersOf('default/web'), ['tor-a'], 'a peer of the other family is not told')
  await world.announce('default/web', '203.0.113.7/32', '2001:db8:beef::7/128')
  assert.deepEqual(world.bgp.peersOf('default/web'), ['tor-a', 'tor-b'])
  world.peers(aBgpPeer({ connectMs: 1000 }), aBgpPeer({ name: 'tor-b', endpoint: { address: ip('2001:db8::2') } }))
  assert.equal(changed.length, 2, 'nothing has changed for the Service')
  world.peers()
  assert.deepEqual(world.bgp.peersOf('default/web'), [])
  assert.deepEqual(changed, ['default/web', 'default/web', 'default/web'])
})

test('66 after a restart the end of the routes is told only when all Services are here', async () => {
  const world = new World()
  const router = await world.router('192.0.2.1', { gracefulRestart: { seconds: 120, restarting: false } })
  world.peers(aBgpPeer({ gracefulRestart: true }))
  world.up()
  world.clock.advance(1000)
  assert.equal(world.bgp.sessions.get('tor-a')?.status.sent.update, 0)
  assert.equal(router.status.agreed?.gracefulRestart?.restarting, true)
  await world.announce('default/web', '203.0.113.7/32')
  world.bgp.complete()
  world.clock.advance(1000)
  assert.equal(world.bgp.sessions.get('tor-a')?.status.sent.update, 2)
})

test('a peer that is configured later is told the end of the routes at once', async () => {
  const world = new World()
  await world.router()
  world.bgp.complete()
  world.peers(aBgpPeer())
  world.up()
  world.until(() => world.bgp.sessions.get('tor-a')?.status.sent.update === 1)
})

test('BFD down ends the session at once; that the neighbor stopped BFD does not', async () => {
  const world = new World()
  await world.router()
  world.peers(aBgpPeer({ bfdProfile: 'fast' }))
  world.up()
  assert.deepEqual(world.targets, [{ peer: ip('192.0.2.1'), local: OURS, multihop: false }])
  const change = { before: 'up', state: 'down', diagnostic: 0, remoteDiagnostic: 0 } as const
  world.alive({ ...change, cause: 'neighborAdminDown' })
  world.alive({ ...change, before: 'init', cause: 'detectionTimeExpired' })
  assert.equal(world.lines('BGP session down').length, 0)
  world.alive({ ...change, cause: 'detectionTimeExpired' })
  assert.equal(world.lines('BGP session down')[0]?.fields.reason, 'BFD session down')
  world.up()
  assert.equal(world.targets.length, 1, 'a flap of BGP keeps the BFD session')
  world.peers()
  assert.deepEqual(world.targets, [])
})

test('BFD is multihop where routers take it to be: by ebgpMultiHop, or off the link', async () => {
  const world = new World()
  const peer = aBgpPeer({ bfdProfile: 'fast', ebgpMultiHop: true })
  await world.router()
  world.peers(peer)
  world.up()
  const multihop = () => world.targets.map(target => target.multihop)
  assert.deepEqual(multihop(), [true])
  world.peers({ ...peer, ebgpMultiHop: false })
  assert.deepEqual(multihop(), [false], 'changed in the session as it is')
  assert.deepEqual(world.lines('BGP session down'), [])

  const inside = new World()
  await inside.router('192.0.2.1', { localAsn: 64500 })
  inside.peers({ ...peer, remoteAs: 'internal' })
  inside.up()
  assert.deepEqual(
    inside.targets.map(target => target.multihop),
    [false],
    'the option is about routers of other ASes',
  )
})

test('a peer that BFD hears again is dialled at once, however often it was lost', async () => {
  const world = new World()
  await world.router()
  world.peers(aBgpPeer({ bfdProfile: 'fast' }))
  const change = { diagnostic: 0, remoteDiagnostic: 0 } as const
  for (let flap = 0; flap < 5; flap++) {
    world.up()
    world.alive({ ...change, before: 'up', state: 'down', cause: 'detectionTimeExpired' })
  }
  const dials = world.sources.length
  world.clock.advance(100)
  assert.equal(world.sources.length, dials, 'it waits')
  world.alive({ ...change, before: 'init', state: 'up', cause: 'handshake' })
  assert.equal(world.sources.length, dials + 1)
})

test('a stop says goodbye to every peer', async () => {
  const world = new World()
  const router = await world.router()
  world.peers(aBgpPeer())
  world.up()
  const stopped = world.bgp.stop()
  world.clock.advance(1000)
  await stopped
  world.until(() => router.status.state !== 'established')
  const reason = router.status.lastClose?.reason
  assert.equal(reason?.kind === 'notification received' && reason.notification.subcode, 2)
})

test('weights are told at most once a second, other changes at once', async () => {
  const world = new World()
  await world.router()
  world.peers(aBgpPeer())
  world.up()
  const announce = async (linkBandwidth: number, prefix = '203.0.113.7/32') => {
    const routes = [{ prefix: parsePrefix(prefix)!, advertisement: 'A', peers: 'all', communities: [], linkBandwidth }]
    world.bgp.setBalancer('default/web', { pool: 'p', addresses: [], routes: routes as ServiceRoute[] })
    await world.bgp.commit()
  }
  const updates = () => world.bgp.sessions.get('tor-a')!.status.sent.update
  const weight = () => [...world.bgp.sessions.get('tor-a')!.advertisedRoutes()][0]?.attributes.linkBandwidth
  await announce(1)
  world.clock.advance(10)
  const before = updates()
  for (let endpoints = 2; endpoints <= 20; endpoints++) {
    await announce(endpoints)
    world.clock.advance(100)
  }
  assert.ok(updates() - before <= 2, `${updates() - before} UPDATEs in 1.9 s`)
  world.clock.advance(1000)
  assert.equal(weight(), 20)
  await announce(20, '203.0.113.8/32')
  world.clock.advance(10)
  assert.deepEqual(world.told(), ['203.0.113.8/32'])
})

test('two peers with one router from different sources share series, which go with the last', async () => {
  const world = new World()
  const other = ip('192.0.2.11')
  const addresses = [OURS, other].map(address => ({ address, length: 24 }))
  world.interfaces.set(anInterface('eth0', { addresses }))
  await world.router()
  world.peers(aBgpPeer({ sourceAddress: OURS }), aBgpPeer({ name: 'tor-b', sourceAddress: other, remoteAs: 64999 }))
  await world.announce('default/web', '203.0.113.7/32')
  world.up()
  const state = (name: string) =>
    world.metrics.series.get(`metallb_bgp_session_state{peer="192.0.2.1:179",state="${name}"}`)
  assert.deepEqual(
    [world.series('session_up'), world.series('pending_prefixes_total'), state('established')],
    [0, 2, 1],
  )
  world.peers(aBgpPeer({ sourceAddress: OURS }))
  assert.deepEqual([world.series('session_up'), world.series('pending_prefixes_total'), state('idle')], [1, 1, 0])
  world.peers()
  assert.deepEqual([world.series('session_up'), state('established')], [undefined, undefined])
})

test('of two peers that are the same session one has it, and the other takes it up when that goes', async () => {
  const world = new World()
  await world.router()
  world.peers(aBgpPeer(), aBgpPeer({ name: 'tor-b' }))
  assert.deepEqual([...world.bgp.sessions.keys()], ['tor-a'])
  const [line] = world.lines('failed to create BGP session')
  assert.match(String(line?.fields.error), /BGPPeer tor-a has the session/)
  world.peers(aBgpPeer({ name: 'tor-b' }))
  world.up('tor-b')
})

test('a session that goes down is counted as a flap', async () => {
  const world = new World()
  const router = await world.router()
  world.peers(aBgpPeer())
  world.up()
  router.stop({ kind: 'shutdown', text: 'maintenance' })
  world.until(() => world.series('session_flaps_total') === 1)
})
