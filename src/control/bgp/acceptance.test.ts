/** Examples and defects of chapter 04 (sections 8 and 10) that concern all sessions of a node together. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress, parsePrefix } from '../../core/ip/index.ts'
import type { ServiceRoute } from '../../core/plan/index.ts'
import { describeNotification } from '../../protocols/bgp/index.ts'
import { aBgpPeer } from '../../testing/bgp-peer.ts'
import { BgpWorld } from '../../testing/bgp-world.ts'

const ip = (text: string) => parseAddress(text)!
const routeTo = (prefix: string, change: Partial<ServiceRoute> = {}): ServiceRoute => ({
  ...{ prefix: parsePrefix(prefix)!, advertisement: 'A', peers: 'all', communities: [] },
  ...change,
})
const communities = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ kind: 'standard' as const, parts: [64500, index] as const }))

test('24, D6 64 communities are told; what fits no message keeps nobody else, and goes with its Service', async () => {
  const world = new BgpWorld()
  await world.router()
  world.peers(aBgpPeer())
  world.up()
  const set = async (service: string, route: ServiceRoute) => {
    world.bgp.setBalancer(service, { pool: 'p', addresses: [], routes: [route] })
    await world.bgp.commit()
    world.clock.advance(100)
  }
  await set('default/many', routeTo('203.0.113.7/32', { communities: communities(64) }))
  assert.deepEqual(world.told(), ['203.0.113.7/32'])
  await set('default/far-too-many', routeTo('203.0.113.8/32', { communities: communities(20_000) }))
  await set('default/web', routeTo('203.0.113.9/32'))
  assert.deepEqual(world.told(), ['203.0.113.7/32', '203.0.113.9/32'])
  const neighbor = () => world.bgp.state()[0]!.routes.map(({ prefix, notSent }) => [prefix, notSent])
  assert.deepEqual(
    neighbor().filter(([, notSent]) => notSent !== undefined),
    [['203.0.113.8/32', 'its attributes do not fit into a message']],
  )
  world.bgp.deleteBalancer('default/far-too-many')
  await world.bgp.commit()
  assert.equal(neighbor().length, 2)
})

const FAREWELLS: [name: string, gracefulRestart: boolean, words: RegExp][] = [
  ['6/3', false, /^0x0603 /],
  ['6/3 in a hard reset, where N is agreed on', true, /^0x0609 .*0x0603 /],
]
for (const [name, gracefulRestart, words] of FAREWELLS)
  test(`110 a peer replaced by one of another ASN while 100 Services exist: ${name}, and the other peer goes on`, async () => {
    const world = new BgpWorld()
    const restart = { gracefulRestart: { seconds: 120, restarting: false } }
    const [router, other] = [await world.router('192.0.2.1', restart), await world.router('192.0.2.2')]
    const kept = aBgpPeer({ name: 'tor-b', endpoint: { address: ip('192.0.2.2') } })
    world.peers(aBgpPeer({ gracefulRestart }), kept)
    for (let index = 0; index < 100; index++) await world.announce(`default/${index}`, `203.0.113.${index}/32`)
    world.up()
    world.up('tor-b')
    world.clock.advance(1000)
    const updates = other.status.received.update
    world.peers(aBgpPeer({ name: 'tor-c', remoteAs: 64502, gracefulRestart }), kept)
    while (router.status.lastClose === undefined) world.clock.advance(1) // before the next one is refused with 2/2
    const reason = router.status.lastClose!.reason
    assert.equal(reason.kind, 'notification received')
    if (reason.kind === 'notification received') assert.match(describeNotification(reason.notification), words)
    world.clock.advance(5000)
    assert.deepEqual([other.status.establishedCount, other.status.received.update], [1, updates])
    assert.equal(world.told('tor-b').length, 100)
  })

test('D2 a router that accepts OPEN and then refuses is not up, and is dialled less and less often', async () => {
  const world = new BgpWorld()
  const router = await world.router('192.0.2.1', { remoteAs: 64999 }) // our KEEPALIVE is out when its 2/2 comes
  world.peers(aBgpPeer())
  world.clock.advance(60_000)
  assert.equal(world.lines('BGP session established').length, 0)
  assert.ok(world.sources.length >= 4 && world.sources.length <= 9, `${world.sources.length} attempts in a minute`)
  assert.equal(router.status.establishedCount, 0)
})

test('D5 a router that does not answer, and one that does not read, delay nobody else', async () => {
  const world = new BgpWorld()
  await world.router('192.0.2.2')
  await world.router('192.0.2.3')
  const peer = (name: string, address: string) => aBgpPeer({ name, endpoint: { address: ip(address) } })
  world.peers(peer('absent', '192.0.2.9'), peer('deaf', '192.0.2.2'), peer('well', '192.0.2.3'))
  world.up('deaf')
  world.up('well')
  world.streams.stall(ip('192.0.2.2'), true)
  await world.announce('default/web', '203.0.113.7/32')
  world.clock.advance(10)
  assert.deepEqual(world.told('well'), ['203.0.113.7/32'])
})

test('D11 the last BFD profile is gone: the BFD session is closed, BGP stays', async () => {
  const world = new BgpWorld()
  const router = await world.router()
  world.peers(aBgpPeer({ bfdProfile: 'fast' }))
  world.up()
  assert.equal(world.targets.length, 1)
  world.bgp.setPeers({ peers: [aBgpPeer()], bfdProfiles: [] })
  assert.deepEqual([world.targets, router.status.establishedCount], [[], 1])
})

test('D13 a session that could not be made is made as soon as it can be, whatever else happened meanwhile', async () => {
  const world = new BgpWorld()
  await world.router()
  world.peers(aBgpPeer({ password: 'a\n' }))
  world.peers(aBgpPeer({ password: 'a\n' }))
  assert.equal(world.lines('failed to create BGP session').length, 1)
  world.peers(aBgpPeer({ password: 'a' }))
  world.up()
})

test('D22 of two Services behind one aggregate each lists the peers that are meant for it', async () => {
  const world = new BgpWorld()
  world.peers(aBgpPeer(), aBgpPeer({ name: 'tor-b', endpoint: { address: ip('192.0.2.2') } }))
  for (const [service, peer] of [
    ['default/a', 'tor-a'],
    ['default/b', 'tor-b'],
  ] as const) // prettier-ignore
    world.bgp.setBalancer(service, {
      ...{ pool: 'p', addresses: [] },
      routes: [routeTo('203.0.113.0/24', { peers: new Set([peer]) })],
    })
  assert.deepEqual([world.bgp.peersOf('default/a'), world.bgp.peersOf('default/b')], [['tor-a'], ['tor-b']])
})
