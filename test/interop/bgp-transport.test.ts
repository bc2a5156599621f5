/** Route refresh, many routes, next hops of the other family, routers far away, and sockets bound to a device. */
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { must, run } from '../../src/apps/lab/command.ts'
import { waitFor } from '../../src/apps/lab/index.ts'
import { parseAddress } from '../../src/core/ip/index.ts'
import { besideRouter, has, plain, ROUTERS, running } from './bgp-scene.ts'
import { type Bird, birdRouter } from './bird.ts'
import { Frr, frrRouter } from './frr.ts'
import type { GoBgp } from './gobgp.ts'
import { OURS, type Router } from './router.ts'
import { aPeer, type BgpSpeaker } from './speaker.ts'

const NETNS = `bgp-transport-${process.pid}`
const [MIDDLE, FAR] = [`${NETNS}-mid`, `${NETNS}-far`]
const PLAIN = plain(NETNS)

const sessionOf = (speaker: BgpSpeaker) => speaker.protocol.sessions.get('tor')!.status

besideRouter('BGP below and beyond the session', NETNS, () => {
  for (const [name, make] of [
    ['FRR', frrRouter],
    ['BIRD', birdRouter],
  ] as const) // GoBGP never asks
    test(`${name}: a refresh brings everything again, marked where that is agreed on`, async t => {
      const { router, speaker } = await running(t, make(PLAIN))
      await speaker.announce('web', '203.0.113.7/32', '203.0.113.8/32')
      speaker.peer(aPeer('ipv4'))
      await has(router, 'ipv4', ['203.0.113.7/32', '203.0.113.8/32'])
      await waitFor(() => sessionOf(speaker).sent.update >= 3, 'the routes and the ends of both families')
      const { agreed, sent: before } = sessionOf(speaker)
      await router.refresh()
      await waitFor(() => sessionOf(speaker).received['route refresh'] > 0, 'the request')
      await waitFor(() => sessionOf(speaker).sent.update > before.update, 'the routes again')
      assert.equal(agreed?.wire.enhancedRefresh, true)
      const marks = () => sessionOf(speaker).sent['route refresh'] // RFC 7313: one before and one after
      await waitFor(() => marks() === 2 * sessionOf(speaker).received['route refresh'], 'both marks')
      await speaker.announce('later', '203.0.113.9/32') // once that is there, what the refresh did not bring is gone
      await has(router, 'ipv4', ['203.0.113.7/32', '203.0.113.8/32', '203.0.113.9/32'])
      // FRR marks what did not come, S for stale, and keeps it
      if (router instanceof Frr) assert.doesNotMatch(await router.ask('show bgp ipv4 unicast'), /^S[*> ]/m)
      assert.deepEqual(speaker.said('BGP session down'), [])
    })

  for (const [name, make] of ROUTERS)
    test(`${name}: 10,000 routes come, and go`, async t => {
      const { router, speaker } = await running(t, make(PLAIN))
      const count = async () => (await router.prefixes('ipv4')).length
      const prefixes = Array.from({ length: 10_000 }, (_, n) => `10.100.${n >> 8}.${n & 255}/32`)
      await speaker.announce('web', ...prefixes)
      speaker.peer(aPeer('ipv4'))
      await waitFor(async () => (await count()) === 10_000, 'all of them', 60_000)
      const { update } = sessionOf(speaker).sent
      assert.ok(update > 0 && update <= 10_000 / 50, `${update} UPDATEs`)
      await speaker.announce('web', ...prefixes.slice(0, 10))
      await waitFor(async () => (await count()) === 10, 'the rest to go', 60_000)
    })

  const shownBy: Record<string, (router: Router) => Promise<string>> = {
    FRR: router => (router as Frr).ask('show bgp ipv4 unicast'),
    BIRD: router => (router as Bird).ask('show', 'route', 'all'),
    GoBGP: router => (router as GoBgp).ask('global', 'rib', '-a', 'ipv4'),
  }
  for (const [name, make] of ROUTERS)
    test(`${name}: IPv4 prefixes with an IPv6 next hop (RFC 8950)`, async t => {
      const { router, speaker } = await running(t, make({ ...PLAIN, over: 'ipv6', extendedNextHop: true }))
      await speaker.announce('web', '203.0.113.7/32')
      speaker.peer(aPeer('ipv6'))
      await has(router, 'ipv4', ['203.0.113.7/32'])
      assert.equal(sessionOf(speaker).agreed?.extendedNextHop, true)
      assert.match(await shownBy[name]!(router), new RegExp(`\\b${OURS.ipv6}\\s`))
    })

  describe('a router behind another one', () => {
    before(() => linkThrough())
    after(async () => {
      for (const netns of [MIDDLE, FAR]) await must(['ip', 'netns', 'delete', netns])
    })
    const peer = aPeer('ipv4', { endpoint: { address: parseAddress('10.30.2.2')! }, ebgpMultiHop: true })
    const far = { ...PLAIN, netns: FAR, between: { us: '10.30.1.1', them: '10.30.2.2' }, via: '10.30.2.1', hops: 2 }

    for (const [name, make] of ROUTERS) {
      test(`${name}: multihop`, async t => {
        const { router, speaker } = await running(t, make(far))
        await speaker.announce('web', '203.0.113.7/32')
        speaker.peer(peer)
        await has(router, 'ipv4', ['203.0.113.7/32'])
      })

      test(`${name}: TTL security over two hops, and over one it does not reach`, async t => {
        const { router, speaker } = await running(t, make({ ...far, gtsm: true }))
        await speaker.announce('web', '203.0.113.7/32')
        speaker.peer({ ...peer, ttlSecurityHops: 2 })
        await has(router, 'ipv4', ['203.0.113.7/32'])
        speaker.peer({ ...peer, ttlSecurityHops: 1, holdMs: 3000 })
        await waitFor(() => speaker.said('failed to connect to peer').length > 0, 'the silence', 30_000)
        assert.match(speaker.said('failed to connect to peer')[0]!, /did not answer in time|ETIMEDOUT/)
      })
    }
  })

  /** Another device, from which no way leads to the router. */
  async function dead(t: TestContext): Promise<string> {
    await must(['ip', 'link', 'add', 'dead0', 'type', 'veth', 'peer', 'name', 'dead1'])
    t.after(() => must(['ip', 'link', 'delete', 'dead0']))
    return 'dead0'
  }

  test('a session bound to a device, beside peers that are not', async t => {
    const { router, speaker } = await running(t, frrRouter(PLAIN), { listens: true })
    const elsewhere = { name: 'other', endpoint: { address: parseAddress('10.20.0.9')! }, passive: true } as const
    await speaker.announce('web', '203.0.113.7/32')
    speaker.peer(aPeer('ipv4', { vrf: await dead(t) }), aPeer('ipv4', elsewhere))
    await waitFor(() => speaker.said('failed to connect to peer').length > 0, 'it not to go another way')
    assert.deepEqual(speaker.said('BGP session established'), [])
    speaker.peer(aPeer('ipv4', { vrf: 'eth0' }), aPeer('ipv4', elsewhere))
    await has(router, 'ipv4', ['203.0.113.7/32'])
    assert.deepEqual(speaker.said('failed to listen for BGP peers'), [], 'one port, two sockets')
  })

  test('a session that comes in through a device', async t => {
    const { router, speaker } = await running(t, frrRouter({ ...PLAIN, dials: true }), { listens: true })
    await speaker.announce('web', '203.0.113.7/32')
    speaker.peer(aPeer('ipv4', { vrf: await dead(t), passive: true }))
    const open = async () => (await run(['ss', '-Htln', 'sport = :179'])).stdout
    await waitFor(async () => (await open()) !== '', 'the listener')
    const knock = ['ip', 'netns', 'exec', NETNS, 'bash', '-c', `: < /dev/tcp/${OURS.ipv4}/179`]
    assert.match((await run(knock)).stderr, /Connection refused/, 'who comes through another one finds nobody')
    speaker.peer(aPeer('ipv4', { vrf: 'eth0', passive: true }))
    await has(router, 'ipv4', ['203.0.113.7/32'])
  })

  test('108 a device that is absent is told and waited for', async t => {
    const { router, speaker } = await running(t, frrRouter(PLAIN))
    await speaker.announce('web', '203.0.113.7/32')
    speaker.peer(aPeer('ipv4', { vrf: 'late0', dualStackAddressFamily: false }))
    await waitFor(() => speaker.said('failed to connect to peer').includes('setsockopt: ENODEV'), 'the reason')
    const rename = (from: string, to: string) =>
      must(['ip', '-batch', '-'], { input: `link set ${from} down\nlink set ${from} name ${to}\nlink set ${to} up\n` })
    await rename('eth0', 'late0')
    t.after(() => rename('late0', 'eth0'))
    await has(router, 'ipv4', ['203.0.113.7/32'])
  })

  test('a session in a VRF', async t => {
    const { code } = await run(['ip', 'link', 'add', 'red', 'type', 'vrf', 'table', '10'])
    if (code !== 0) {
      t.skip('the kernel lacks VRF devices')
      return
    }
    await must(['ip', '-batch', '-'], { input: 'link set red up\nlink set eth0 master red\n' })
    t.after(() => must(['ip', 'link', 'delete', 'red']))
    const { router, speaker } = await running(t, frrRouter(PLAIN))
    await speaker.announce('web', '203.0.113.7/32')
    speaker.peer(aPeer('ipv4', { vrf: 'red' }))
    await has(router, 'ipv4', ['203.0.113.7/32'])
  })
})

/** This process, 10.30.1.1 — 10.30.1.2, a router, 10.30.2.1 — 10.30.2.2, the peer. */
async function linkThrough(): Promise<void> {
  for (const netns of [MIDDLE, FAR]) await must(['ip', 'netns', 'add', netns])
  const batch = (netns: string, ...lines: string[]) =>
    must(['ip', ...(netns ? ['-n', netns] : []), '-batch', '-'], { input: lines.join('\n') })
  await batch(
    '',
    `link add eth1 type veth peer name eth0 netns ${MIDDLE}`,
    'addr add 10.30.1.1/24 dev eth1',
    'link set eth1 up',
  )
  await batch(
    MIDDLE,
    `link add eth1 type veth peer name eth0 netns ${FAR}`,
    'addr add 10.30.1.2/24 dev eth0',
    'addr add 10.30.2.1/24 dev eth1',
    'link set eth0 up',
    'link set eth1 up',
  )
  await batch(
    FAR,
    'addr add 10.30.2.2/24 dev eth0',
    'link set lo up',
    'link set eth0 up',
    'route add default via 10.30.2.1',
  )
  await batch('', 'route add 10.30.2.0/24 via 10.30.1.2')
  await must(['ip', 'netns', 'exec', MIDDLE, 'sysctl', '-qw', 'net.ipv4.ip_forward=1'])
}
