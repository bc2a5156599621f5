/** What scenarios with one router have in common. */
import { existsSync } from 'node:fs'
import { after, before, describe } from 'node:test'
import { waitFor } from '../../src/apps/lab/index.ts'
import { enterFreshNetwork } from '../contract/fresh-network.ts'
import { BIRD, birdRouter } from './bird.ts'
import { BGPD, frrRouter } from './frr.ts'
import { GOBGPD, GoBgp } from './gobgp.ts'
import { OPENBGPD } from './openbgpd.ts'
import { linkTo, type Router, type RouterConfig, unlink } from './router.ts'
import { BgpSpeaker, type SpeakerOptions } from './speaker.ts'

export const ROUTERS: [name: string, make: (config: RouterConfig) => Router][] = [
  ['FRR', frrRouter],
  ['BIRD', birdRouter],
  ['GoBGP', config => new GoBgp(config)],
]

/** Scenarios of this process, in a network of its own, with a router in that namespace at the other end of a link. */
export function besideRouter(what: string, netns: string, scenarios: () => void): void {
  describe(what, { skip: whyNoBgp() ?? false }, () => {
    before(async () => {
      enterFreshNetwork()
      await linkTo(netns)
    })
    after(() => unlink(netns))
    scenarios()
  })
}

/** Of another AS, over IPv4. */
export function plain(netns: string): RouterConfig {
  return { netns, over: 'ipv4', ourAsn: 64500, asn: 64501 }
}

export async function running<R extends Router>(
  t: { after: (end: () => Promise<void>) => void },
  router: R,
  options: SpeakerOptions = {},
) {
  const speaker = new BgpSpeaker(options)
  t.after(async () => {
    await speaker.protocol.stop()
    await router.stop()
  })
  await router.start()
  return { router, speaker }
}

export async function has(router: Router, family: 'ipv4' | 'ipv6', wanted: readonly string[]): Promise<void> {
  const same = async () => (await router.prefixes(family)).sort().join() === [...wanted].sort().join()
  await waitFor(same, `the ${family} table to be [${wanted}]`)
}

/** In CI that is an error: nothing is skipped there. */
export function whyNoBgp(): string | undefined {
  const missing = [BGPD, BIRD, GOBGPD, OPENBGPD].filter(program => !existsSync(program))
  const reason =
    process.getuid?.() !== 0
      ? 'network namespaces need root'
      : missing.length > 0
        ? `not installed: ${missing.join(', ')}`
        : undefined
  if (reason !== undefined && process.env.CI) throw new Error(`in CI nothing is skipped: ${reason}`)
  return reason
}
