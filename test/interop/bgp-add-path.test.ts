/** Copies of a path (RFC 7911) at routers that take them, over both families, and at routers that do not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { waitFor } from '../../src/apps/lab/index.ts'
import { besideRouter, has, plain, ROUTERS, running } from './bgp-scene.ts'
import { Bird } from './bird.ts'
import { Frr, frrRouter } from './frr.ts'
import type { GoBgp } from './gobgp.ts'
import { OURS, type Router } from './router.ts'
import { aPeer, BgpSpeaker } from './speaker.ts'

const NETNS = `bgp-addpath-${process.pid}`
const IPV4 = '203.0.113.7/32'
const IPV6 = '2001:db8:beef::7/128'
const TAKES = { ...plain(NETNS), addPath: true }
const WEIGHS = aPeer('ipv4', { maxPaths: 8 })

/** Paths of the prefix that the router has. */
async function pathsOf(router: Router, prefix: string): Promise<number> {
  const family = prefix.includes(':') ? 'ipv6' : 'ipv4'
  if (router instanceof Frr) return (await router.table(family))[prefix]?.length ?? 0
  if (router instanceof Bird)
    return (await router.ask('show', 'route', prefix)).match(/unicast \[speaker /g)?.length ?? 0
  const table = JSON.parse((await (router as GoBgp).ask('global', 'rib', '-a', family, '-j')) || '{}')
  return table[prefix]?.length ?? 0
}

async function hasPaths(router: Router, count: number, prefixes = [IPV4, IPV6]): Promise<void> {
  for (const prefix of prefixes)
    await waitFor(async () => (await pathsOf(router, prefix)) === count, `${count} paths of ${prefix}`)
}

const agreed = (speaker: BgpSpeaker) => speaker.protocol.state()[0]?.addPath

besideRouter('copies of a path with other implementations', NETNS, () => {
  for (const [name, make] of ROUTERS) {
    test(`${name}: has as many as there are endpoints, and told again it still has`, async t => {
      const { router, speaker } = await running(t, make(TAKES))
      await speaker.announceWith({ paths: 3 }, 'web', IPV4, IPV6)
      speaker.peer(WEIGHS)
      await hasPaths(router, 3)
      assert.deepEqual(agreed(speaker), ['ipv4', 'ipv6'])
      for (const paths of [5, 2]) {
        await speaker.announceWith({ paths }, 'web', IPV4, IPV6)
        await hasPaths(router, paths)
      }
      await speaker.announceWith({ paths: 2, med: 7 }, 'web', IPV4, IPV6)
      await speaker.announce('dns', '203.0.113.8/32') // once that is there, the router knows what was said before it
      await has(router, 'ipv4', [IPV4, '203.0.113.8/32'])
      await hasPaths(router, 2)
      if (router instanceof Frr || router instanceof Bird) {
        const before = speaker.updates
        await router.refresh()
        await waitFor(() => speaker.updates > before, 'the routes again')
        await hasPaths(router, 2)
      }
      await speaker.announce('web')
      await has(router, 'ipv6', [])
      await has(router, 'ipv4', ['203.0.113.8/32'])
      assert.deepEqual(speaker.said('BGP session down'), [])
    })

    test(`${name}: after a graceful restart it has those of now`, async t => {
      const { router, speaker } = await running(t, make({ ...TAKES, gracefulRestart: true }))
      const peer = { ...WEIGHS, gracefulRestart: true }
      await speaker.announceWith({ paths: 3 }, 'web', IPV4)
      speaker.peer(peer)
      await hasPaths(router, 3, [IPV4])
      await speaker.protocol.stop()
      const next = new BgpSpeaker({ complete: false })
      t.after(() => next.protocol.stop())
      next.peer(peer)
      await next.announceWith({ paths: 2 }, 'web', IPV4)
      await next.announce('new', '203.0.113.9/32') // once that is there, the router knows what was said before it
      await has(router, 'ipv4', [IPV4, '203.0.113.9/32'])
      assert.equal(await pathsOf(router, IPV4), 3, 'the third stays until all is told')
      next.protocol.complete()
      await hasPaths(router, 2, [IPV4])
    })
  }

  test('FRR: the identifiers are 1 to k', async t => {
    const { router, speaker } = await running(t, frrRouter(TAKES))
    await speaker.announceWith({ paths: 3 }, 'web', IPV4)
    speaker.peer(WEIGHS)
    await hasPaths(router, 3, [IPV4])
    const text = await router.ask(`show bgp ipv4 unicast ${IPV4}`)
    const identifiers = [...text.matchAll(/AddPath ID: RX (\d+)/g)].map(([, id]) => id)
    assert.deepEqual(identifiers.sort(), ['1', '2', '3'])
  })

  for (const [name, make] of ROUTERS)
    test(`${name}: IPv4 with IPv6 next hops`, async t => {
      const { router, speaker } = await running(t, make({ ...TAKES, over: 'ipv6', extendedNextHop: true }))
      await speaker.announceWith({ paths: 3 }, 'web', IPV4, IPV6)
      speaker.peer(aPeer('ipv6', { maxPaths: 2 }))
      await hasPaths(router, 2)
      await speaker.announce('web')
      await has(router, 'ipv4', [])
    })

  for (const [name, make] of ROUTERS)
    test(`${name} without the capability: one path, as ever`, async t => {
      const { router, speaker } = await running(t, make(plain(NETNS)))
      if (router instanceof Frr)
        for (const family of ['ipv4', 'ipv6'])
          await router.ask(
            'configure terminal',
            'router bgp 64501',
            `address-family ${family} unicast`,
            `neighbor ${OURS.ipv4} disable-addpath-rx`,
          )
      await speaker.announceWith({ paths: 3 }, 'web', IPV4, IPV6)
      speaker.peer(WEIGHS)
      await has(router, 'ipv4', [IPV4])
      await has(router, 'ipv6', [IPV6])
      await hasPaths(router, 1)
      assert.deepEqual(agreed(speaker), [])
      await speaker.announce('web')
      await has(router, 'ipv4', [])
    })
})
