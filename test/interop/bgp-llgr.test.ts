/** A speaker that does not come back within the restart time: routers keep its routes as a last resort (RFC 9494). */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { linuxStreams } from '../../src/adapters/linux/tcp.ts'
import { systemClock as clock } from '../../src/adapters/system/clock.ts'
import { systemRandom as random } from '../../src/adapters/system/random.ts'
import { waitFor } from '../../src/apps/lab/index.ts'
import { type AddressedPeer, settingsOf, targetOf } from '../../src/control/bgp/settings.ts'
import { parseAddress, parsePrefix } from '../../src/core/ip/index.ts'
import { Session } from '../../src/protocols/bgp/index.ts'
import { enterFreshNetwork } from '../contract/fresh-network.ts'
import { has, plain, whyNoBgp } from './bgp-scene.ts'
import { type Bird, birdRouter } from './bird.ts'
import { type Frr, frrRouter } from './frr.ts'
import { linkTo, OURS, type Router, unlink } from './router.ts'
import { aPeer } from './speaker.ts'

const NETNS = `bgp-llgr-${process.pid}`
const PREFIX = '203.0.113.7/32'
const OTHER = '203.0.113.9/32'
/** 120 s in a speaker: here nobody wants to wait for them. */
const RESTART_SECONDS = 3
const STALE_SECONDS = 6

/** What a speaker makes of a BGPPeer, but for the restart time. */
function sessionOf(longLivedStaleSeconds: number | undefined): Session {
  const peer = aPeer('ipv4', { gracefulRestart: true, longLivedStaleSeconds }) as AddressedPeer
  const gracefulRestart = { seconds: RESTART_SECONDS, restarting: false }
  const settings = { ...settingsOf(peer, 'node-a', false), gracefulRestart }
  const localAddresses = () => ({ connection: parseAddress(OURS.ipv4)! })
  const options = { settings, target: targetOf(peer), defaultLocalPref: 100, localAddresses }
  const session = new Session(options, { clock, random, streams: linuxStreams })
  session.start()
  return session
}

function announce(session: Session, prefix: string): void {
  session.announce([{ prefix: parsePrefix(prefix)!, attributes: { communities: [] } }])
}

type Detail = { readonly paths?: readonly { readonly community?: { readonly string: string } }[] }

/** FRR keeps routes no longer than it is told itself, which by default is not at all. */
async function startedFrr(): Promise<Router> {
  const router = frrRouter(plain(NETNS))
  await router.start()
  await router.ask('configure terminal', 'router bgp 64501', 'bgp long-lived-graceful-restart stale-time 600')
  return router
}

async function startedBird(): Promise<Router> {
  const router = birdRouter(plain(NETNS))
  await router.start()
  return router
}

/** Each with how it shows that the route is stale. */
const HELPERS: [name: string, start: () => Promise<Router>, isStale: (router: Router) => Promise<boolean>][] = [
  [
    'FRR',
    startedFrr,
    async router => {
      const { paths } = await (router as Frr).json<Detail>(`show bgp ipv4 unicast ${PREFIX}`)
      return /llgr-stale/.test(paths?.[0]?.community?.string ?? '')
    },
  ],
  ['BIRD', startedBird, async router => /\(65535,6\)/.test(await (router as Bird).ask('show', 'route', 'all'))],
]

describe('long-lived graceful restart', { skip: whyNoBgp() ?? false }, () => {
  before(async () => {
    enterFreshNetwork()
    await linkTo(NETNS)
  })
  after(() => unlink(NETNS))

  for (const [name, start, isStale] of HELPERS) {
    async function gone(t: { after: (end: () => Promise<void>) => void }, staleSeconds?: number) {
      const router = await start()
      t.after(() => router.stop())
      const session = sessionOf(staleSeconds)
      announce(session, PREFIX)
      session.complete()
      t.after(async () => session.stop({ kind: 'deconfigured' }))
      await has(router, 'ipv4', [PREFIX])
      assert.equal(session.status.agreed?.longLived !== undefined, staleSeconds !== undefined, 'both offer it')
      assert.equal(await isStale(router), false)
      session.stop({ kind: 'shutdown', text: '' })
      return { router, atMs: performance.now() }
    }

    test(`${name}: kept over the restart time as a last resort, and gone when that has passed too`, async t => {
      const { router, atMs } = await gone(t, STALE_SECONDS)
      await waitFor(() => isStale(router), 'the route to be of the last resort', 20_000)
      const staleAfter = performance.now() - atMs
      assert.ok(staleAfter > 1000 * (RESTART_SECONDS - 1), `after ${staleAfter} ms`)
      await has(router, 'ipv4', [PREFIX])
      await has(router, 'ipv4', [])
      const goneAfter = performance.now() - atMs
      assert.ok(goneAfter > 1000 * (STALE_SECONDS + RESTART_SECONDS - 1), `after ${goneAfter} ms`)
    })

    test(`${name}: a speaker that comes back in that time finds it there, and makes it a route like any other`, async t => {
      const { router } = await gone(t, 600)
      await waitFor(() => isStale(router), 'the route to be of the last resort', 20_000)
      const back = sessionOf(600)
      t.after(async () => back.stop({ kind: 'deconfigured' }))
      announce(back, OTHER)
      await has(router, 'ipv4', [PREFIX, OTHER])
      assert.ok(await isStale(router), 'nothing has been said about it yet')
      announce(back, PREFIX)
      back.complete()
      await waitFor(async () => !(await isStale(router)), 'the route to be fresh')
      await has(router, 'ipv4', [PREFIX, OTHER])
    })

    test(`${name}: without the option it goes with the restart time`, async t => {
      const { router } = await gone(t)
      let stale = false
      await waitFor(
        async () => {
          stale ||= await isStale(router)
          return (await router.prefixes('ipv4')).length === 0
        },
        'the route to go',
        20_000,
      )
      assert.equal(stale, false)
    })
  }
})
