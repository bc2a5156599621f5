/** NOTIFICATIONs between us and FRR, BIRD and GoBGP: what each says is told in words, and what we say is understood. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { waitFor } from '../../src/apps/lab/index.ts'
import type { Peer } from '../../src/core/config/index.ts'
import { besideRouter, has, plain, ROUTERS, running } from './bgp-scene.ts'
import { type Bird, birdRouter } from './bird.ts'
import { type Frr, frrRouter } from './frr.ts'
import { GoBgp } from './gobgp.ts'
import { OURS, type Router } from './router.ts'
import { aPeer, type BgpSpeaker } from './speaker.ts'

const NETNS = `bgp-notifications-${process.pid}`
const US = OURS.ipv4

interface Provocation {
  readonly name: string
  readonly make: () => Router
  readonly provoke: (router: Router) => Promise<unknown>
  readonly told: string
  readonly peer?: Partial<Peer>
}

const frr = (...lines: string[]) => {
  const typed = ['configure terminal', 'router bgp 64501', ...lines]
  return { make: () => frrRouter(plain(NETNS)), provoke: (router: Router) => (router as Frr).ask(...typed) }
}
const bird = (...words: string[]) => ({
  make: () => birdRouter(plain(NETNS)),
  provoke: (router: Router) => (router as Bird).ask(...words),
})
const gobgp = (...words: string[]) => ({
  make: () => new GoBgp(plain(NETNS)),
  provoke: (router: Router) => (router as GoBgp).ask('neighbor', ...words),
})

const PROVOCATIONS: Provocation[] = [
  {
    ...frr('address-family ipv4 unicast', `neighbor ${US} maximum-prefix 1`),
    name: 'FRR: more prefixes than it takes',
    told: '0x0601 (Maximum Number of Prefixes Reached)',
  },
  {
    ...frr(`neighbor ${US} shutdown message going home`),
    name: 'FRR: shut down with a text',
    told: '0x0602 (Administrative Shutdown): "going home"',
  },
  { ...frr(`no neighbor ${US}`), name: 'FRR: deconfigured', told: '0x0603 (Peer De-configured)' },
  { ...frr(`do clear bgp ${US}`), name: 'FRR: reset', told: '0x0604 (Administrative Reset)' },
  {
    ...frr(`do clear bgp ${US}`),
    name: 'FRR: reset where routes would outlive it',
    told: '0x0609 (Hard Reset), 0x0604 (Administrative Reset)',
    peer: { gracefulRestart: true },
  },
  {
    ...frr(`neighbor ${US} local-as 64999`),
    name: 'FRR: another configuration',
    told: '0x0606 (Other Configuration Change)',
  },
  {
    ...bird('disable', 'speaker', '"going home"'),
    name: 'BIRD: disabled with a text',
    told: '0x0602 (Administrative Shutdown): "going home"',
  },
  { ...bird('restart', 'speaker'), name: 'BIRD: restarted', told: '0x0604 (Administrative Reset)' },
  {
    ...gobgp(US, 'shutdown', '--reason', 'going home'),
    name: 'GoBGP: shut down with a text',
    told: '0x0602 (Administrative Shutdown): "going home"',
  },
  { ...gobgp(US, 'reset'), name: 'GoBGP: reset', told: '0x0604 (Administrative Reset)' },
  { ...gobgp('del', US), name: 'GoBGP: deconfigured', told: '0x0603 (Peer De-configured)' },
]

/** What the router says of the last NOTIFICATION that it received. */
const UNDERSTOOD: Record<string, (router: Router) => Promise<string>> = {
  FRR: router => (router as Frr).ask(`show bgp neighbors ${US}`),
  BIRD: router => (router as Bird).ask('show', 'protocols', 'all', 'speaker'),
}
const OURS_TOLD: [name: string, end: (speaker: BgpSpeaker) => unknown, frr: RegExp, bird: RegExp][] = [
  [
    'the speaker stops',
    speaker => speaker.protocol.stop(),
    /Notification received \(Cease\/Administrative Shutdown\)/,
    /Received: Administrative shutdown/,
  ],
  [
    'the peer is deconfigured',
    speaker => speaker.peer(),
    /Notification received \(Cease\/Peer De-configured\)/,
    /Received: Peer de-configured/,
  ],
  [
    'its device is another one, which is absent',
    speaker => speaker.peer(aPeer('ipv4', { vrf: 'absent0' })),
    /Notification received \(Cease\/Other Configuration Change\)/,
    /Received: Other configuration change/,
  ],
]

besideRouter('BGP NOTIFICATIONs', NETNS, () => {
  for (const { name, make, provoke, told, peer } of PROVOCATIONS)
    test(`${name}: ${told}`, async t => {
      const { router, speaker } = await established(t, make(), peer)
      await provoke(router)
      await waitFor(() => notified(speaker).length > 0, 'the NOTIFICATION')
      assert.equal(notified(speaker)[0], `got BGP notification code ${told}`)
    })

  for (const [name, make] of ROUTERS) {
    test(`${name}: an AS that it does not expect`, async t => {
      const { speaker } = await running(t, make(plain(NETNS)))
      speaker.peer(aPeer('ipv4', { myAsn: 64999 }))
      await waitFor(() => speaker.said('failed to connect to peer').length > 0, 'the refusal')
      assert.match(speaker.said('failed to connect to peer')[0]!, /0x0202 \(Bad peer AS\)/)
    })
  }

  for (const [name, make] of ROUTERS.filter(([router]) => router in UNDERSTOOD)) {
    const understood = UNDERSTOOD[name]!
    for (const [what, end, byFrr, byBird] of OURS_TOLD)
      test(`${name} understands: ${what}`, async t => {
        const { router, speaker } = await established(t, make(plain(NETNS)))
        await end(speaker)
        const wanted = name === 'FRR' ? byFrr : byBird
        await waitFor(async () => wanted.test(await understood(router)), `${name} to say ${wanted}`)
      })
  }
})

async function established<R extends Router>(t: TestContext, made: R, change: Partial<Peer> = {}) {
  const { router, speaker } = await running(t, made)
  await speaker.announce('web', '203.0.113.7/32', '203.0.113.8/32')
  speaker.peer(aPeer('ipv4', change))
  await has(router, 'ipv4', ['203.0.113.7/32', '203.0.113.8/32'])
  return { router, speaker }
}

function notified(speaker: BgpSpeaker): string[] {
  return speaker.said('peer sent notification, closing session')
}
