import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatCommunity } from '../../core/config/index.ts'
import { aBgpPeer } from '../../testing/bgp-peer.ts'
import { BgpWorld } from '../../testing/bgp-world.ts'

async function established(shutdownGraceMs: number, change: Parameters<typeof aBgpPeer>[0] = {}) {
  const world = new BgpWorld({ shutdownGraceMs })
  const router = await world.router()
  world.peers(aBgpPeer(change))
  world.up()
  await world.announce('default/web', '203.0.113.7/32')
  world.clock.advance(100)
  const session = world.bgp.sessions.get('tor-a')!
  const told = () =>
    [...session.advertisedRoutes()].map(({ attributes: { localPref, communities } }) => [
      localPref,
      ...communities.map(formatCommunity),
    ])
  return { world, router, session, told }
}

test('before the session ends routers are told to prefer others, for as long as was asked', async () => {
  const { world, router, told } = await established(1500)
  let stopped = false
  const stop = world.bgp.stop().then(() => {
    stopped = true
  })
  await world.clock.advanceAsync(1400, 100)
  assert.deepEqual(told(), [[0, '65535:0']])
  assert.equal(router.status.state, 'established')
  await world.clock.advanceAsync(400, 50)
  assert.notEqual(router.status.state, 'established')
  await stop
  assert.ok(stopped)
})

test('otherwise it ends at once, as it does where routers keep the routes', async () => {
  for (const [graceMs, change] of [
    [0, {}],
    [1500, { gracefulRestart: true }],
  ] as const) {
    const { world, router } = await established(graceMs, change)
    const stop = world.bgp.stop()
    await world.clock.advanceAsync(300, 50)
    assert.notEqual(router.status.state, 'established')
    await stop
  }
})
