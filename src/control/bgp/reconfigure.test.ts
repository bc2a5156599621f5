/** A BGPPeer changes while its session runs: what the router sees of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aBgpPeer } from '../../testing/bgp-peer.ts'
import { BgpWorld as World } from '../../testing/bgp-world.ts'
import type { AddressedPeer } from './settings.ts'

async function established(change: Partial<AddressedPeer> = {}) {
  const world = new World()
  const router = await world.router()
  world.peers(aBgpPeer(change))
  world.up()
  world.streams.adjusted.length = 0
  return { world, router }
}

const IN_PLACE: [name: string, change: Partial<AddressedPeer>, adjusted: object][] = [
  ['a password', { password: 'new' }, { md5Password: 'new' }],
  ['TTL security', { ttlSecurityHops: 1 }, { ttl: 255, minTtl: 255 }],
  ['the keepalive time', { keepaliveMs: 3000 }, {}],
  ['the connect time', { connectMs: 5000 }, {}],
]
for (const [name, change, adjusted] of IN_PLACE)
  test(`${name} changes in the session as it is`, async () => {
    const { world, router } = await established()
    world.peers(aBgpPeer(change))
    assert.equal(world.streams.adjusted.length, 1)
    assert.deepEqual({ ...world.streams.adjusted[0], ...adjusted }, world.streams.adjusted[0])
    world.clock.advance(60_000)
    assert.deepEqual([world.lines('BGP session down'), router.status.establishedCount], [[], 1])
  })

test('the new keepalive time is kept', async () => {
  const { world, router } = await established()
  world.peers(aBgpPeer({ keepaliveMs: 3000 }))
  const before = router.status.received.keepalive
  world.clock.advance(30_000)
  const count = router.status.received.keepalive - before
  assert.ok(count >= 9 && count <= 14, `${count} in 30 s`)
})

test('selectors and profiles do not even reach the connection', async () => {
  const { world } = await established()
  world.peers(aBgpPeer({ nodeSelectors: [{}], bfdProfile: 'fast' }))
  assert.deepEqual(world.streams.adjusted, [])
})

test('a connection that cannot bear the change is made anew, with the reason', async () => {
  const { world, router } = await established()
  world.streams.adjustable = false
  world.peers(aBgpPeer({ password: 'new' }))
  world.streams.adjustable = true
  world.until(() => router.status.establishedCount === 2)
  const [line] = world.lines('peer deconfigured, closing BGP session')
  assert.deepEqual([line?.fields.reason, line?.fields.changed], ['changedInConfig', ['it cannot be adjusted']])
  assert.doesNotMatch(JSON.stringify(world.log.lines), /new/)
})

test('what restarts a session is named', async () => {
  const { world } = await established()
  world.peers(aBgpPeer({ holdMs: 9000, dualStackAddressFamily: true }))
  const [line] = world.lines('peer deconfigured, closing BGP session')
  assert.deepEqual(line?.fields.changed, ['hold time', 'families'])
})

test('a session that waits after failures tries at once with a new password', async () => {
  const world = new World()
  world.peers(aBgpPeer())
  world.until(() => world.bgp.sessions.get('tor-a')?.status.state === 'idle' && world.sources.length === 6)
  const router = await world.router()
  world.clock.advance(100)
  assert.equal(router.status.establishedCount, 0, 'it waits')
  world.peers(aBgpPeer({ password: 'new' }))
  world.clock.advance(100)
  assert.equal(router.status.establishedCount, 1)
})
