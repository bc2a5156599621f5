import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from '../../core/ip/index.ts'
import { aBgpPeer } from '../../testing/bgp-peer.ts'
import { BgpWorld } from '../../testing/bgp-world.ts'
import { peerText } from './settings.ts'

test('the state says how a session is and what it was asked for, and no secret', async () => {
  const world = new BgpWorld()
  await world.router()
  const sourceAddress = parseAddress('192.0.2.10')!
  const more = { password: 'hunter2', holdMs: 9000, ttlSecurityHops: 1, sourceAddress, bfdProfile: 'fast' }
  world.peers(aBgpPeer(more))
  await world.announce('default/web', '203.0.113.7/32')
  const [before] = world.bgp.state()
  assert.deepEqual([before?.bfd?.state, before?.bfd?.session], ['down', undefined])
  world.up()
  const [after] = world.bgp.state()
  assert.deepEqual([after?.state, after?.prefixesTold, after?.bfd?.profile.name], ['established', 1, 'fast'])
  assert.deepEqual(after?.config, {
    ...{ myAsn: 64500, remoteAs: 64501, families: ['ipv4'], sourceAddress: '192.0.2.10', holdMs: 9000 },
    ...{ signed: 'md5', passive: false, ebgpMultiHop: false, gracefulRestart: false, ttlSecurityHops: 1 },
    bfdProfile: 'fast',
  })
  assert.doesNotMatch(JSON.stringify(world.bgp.state()), /hunter2/)
})

test('no log line, event, series or state holds what signs the segments', async () => {
  const world = new BgpWorld()
  await world.router()
  const key = { sendId: 1, receiveId: 1, algorithm: 'hmac-sha-1-96', secret: 'hunter4' } as const
  world.peers(aBgpPeer({ password: 'hunter2' }))
  world.up()
  world.peers(aBgpPeer({ password: 'hunter3' }))
  world.peers(aBgpPeer({ password: 'hunter3\n' }))
  world.peers(aBgpPeer({ aoKeys: [key] }))
  world.up()
  world.peers()
  assert.ok(world.lines('failed to create BGP session').length > 0 && world.recorder.events.length > 0)
  const said = [world.log.lines, world.recorder.events, [...world.metrics.series.keys()], world.bgp.state()]
  assert.doesNotMatch(JSON.stringify(said), /hunter/)
})

test('BFD counters are those of the session of the peer', async () => {
  const world = new BgpWorld()
  await world.router()
  world.peers(aBgpPeer({ bfdProfile: 'fast' }))
  world.up()
  const [target] = world.targets
  const status = { ...target!, state: 'up', controlInput: 5 } as unknown as (typeof world.liveness)[number]
  world.liveness = [{ ...status, peer: parseAddress('192.0.2.9')!, controlInput: 9 }, status]
  assert.equal(world.bgp.state()[0]?.bfd?.session?.controlInput, 5)
})

test('peers that cannot have a session are idle, but not the second of a session', async () => {
  const world = new BgpWorld()
  await world.router()
  world.peers(aBgpPeer(), aBgpPeer({ name: 'tor-b' }), {
    ...aBgpPeer(),
    name: 'tor-c',
    endpoint: { interface: 'eth1' },
  })
  world.up()
  const rows = () =>
    world.bgp.seen().map(({ peer, status, bfd }) => [peerText(peer.endpoint), status.state, bfd?.state])
  assert.deepEqual(rows(), [
    ['192.0.2.1', 'established', undefined],
    ['eth1', 'idle', undefined],
  ])
})
