import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SpeakerController, SpeakerVerdict } from '../../control/announce/index.ts'
import type { ConfigLoader } from '../../control/config/index.ts'
import { aBgpPeer } from '../../testing/bgp-peer.ts'
import { BgpWorld } from '../../testing/bgp-world.ts'
import { readServiceView, readSessions } from '../cli/speaker-answers.ts'
import { stateRoute } from './state.ts'

const VIEW = { options: { ignoreExcludeLb: false, lbClass: '' }, held: ['node-b'], interfaces: {} }
const STANDING = { since: '2026-01-01T00:00:00Z', differs: [] }

/** A speaker that decides `verdict` for `default/web`, whatever its sessions are. */
function route(world: BgpWorld, peers: readonly string[], prefixes: readonly string[]) {
  const row = { node: 'worker-a', announces: true, reasons: [] }
  const verdict: SpeakerVerdict = {
    layer2: { ...row, interfaces: 'all', score: 0 },
    bgp: { ...row, warnings: [], peers, prefixes },
    announced: { bgp: [], layer2: [] },
  }
  const announcing: Pick<SpeakerController, 'view' | 'verdict'> = {
    view: () => VIEW,
    verdict: key => (key === 'default/web' ? verdict : undefined),
  }
  const config: Pick<ConfigLoader, 'standing'> = { standing: () => STANDING }
  const ask = stateRoute({ node: 'worker-a', announcing, config, bgp: world.bgp })
  return async (query: string) => {
    const { status, body } = await ask(new URL(`https://speaker/debug/v1/state${query}`))
    assert.equal(status, 200)
    // What the speaker writes is what metallbctl reads.
    const read: (answer: unknown) => unknown = query === '' ? readSessions : readServiceView
    read(JSON.parse(String(body)))
    return JSON.parse(String(body))
  }
}

test('without a query it tells of all its sessions, its view and its configuration', async () => {
  const world = new BgpWorld()
  await world.router()
  world.peers(aBgpPeer())
  const { bgp, ...rest } = await route(world, [], [])('')
  assert.deepEqual(rest, { node: 'worker-a', speaker: VIEW, configuration: STANDING })
  assert.deepEqual(
    bgp.neighbors.map(({ name }: { name: string }) => name),
    ['tor-a'],
  )
})

test('asked for a Service it tells its verdict, and of the peers that should know of it which do not and why', async () => {
  const world = new BgpWorld()
  const router = await world.router()
  world.peers(aBgpPeer(), aBgpPeer({ name: 'twin' }))
  await world.announce('default/web', '203.0.113.7/32', '2001:db8::7/128')
  world.up()
  const ask = route(world, ['tor-a', 'twin'], ['203.0.113.7/32', '2001:db8::7/128'])
  const { verdict, sessions, bgp } = await ask('?service=default%2Fweb')
  assert.equal(bgp, undefined)
  assert.equal(verdict.layer2.announces, true)
  assert.deepEqual(sessions[0], {
    ...{ peer: 'tor-a', state: 'established' },
    notSent: ['2001:db8::7/128: its family is not meant for the peer'],
  })
  assert.deepEqual([sessions[1].state, sessions[1].notSent], ['idle', []])
  assert.match(sessions[1].why, /BGPPeer tor-a has the session/)
  router.stop({ kind: 'reset', text: 'maintenance' })
  world.until(() => world.series('session_up') === 0)
  const [down] = (await ask('?service=default/web')).sessions
  assert.notEqual(down.state, 'established')
  assert.match(down.why, /reset/i)
})

test('of a Service it has not heard of it says nothing', async () => {
  const answer = await route(new BgpWorld(), [], [])('?service=default/other')
  assert.deepEqual(answer, { node: 'worker-a', speaker: VIEW, configuration: STANDING, sessions: [] })
})
