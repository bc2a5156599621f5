/** Sessions with FRR, BIRD and GoBGP, each in a namespace, one link away. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { waitFor } from '../../src/apps/lab/index.ts'
import { besideRouter, has, plain, ROUTERS, running } from './bgp-scene.ts'
import { type Frr, frrRouter } from './frr.ts'
import { OpenBgpd } from './openbgpd.ts'
import { OURS } from './router.ts'
import { aPeer, BgpSpeaker } from './speaker.ts'

const NETNS = `bgp-interop-${process.pid}`
const PLAIN = plain(NETNS)
const OPENBGPD_TOO: (typeof ROUTERS)[number] = ['OpenBGPD', config => new OpenBgpd(config)]

besideRouter('BGP with other implementations', NETNS, () => {
  for (const [name, make] of [...ROUTERS, OPENBGPD_TOO]) {
    for (const over of ['ipv4', 'ipv6'] as const)
      for (const asn of [64501, 64500]) {
        const kind = asn === 64500 ? 'iBGP' : 'eBGP'
        test(`${name}, ${kind} over ${over}: both families, signed; announced and withdrawn`, async t => {
          const config = { netns: NETNS, over, ourAsn: 64500, asn, password: 'secret' }
          const { router, speaker } = await running(t, make(config))
          await speaker.announce('web', '203.0.113.7/32', '2001:db8:beef::7/128')
          speaker.peer(aPeer(over, { remoteAs: asn, password: 'secret' }))
          await has(router, 'ipv4', ['203.0.113.7/32'])
          await has(router, 'ipv6', ['2001:db8:beef::7/128'])
          await speaker.announce('dns', '203.0.113.0/28')
          await has(router, 'ipv4', ['203.0.113.0/28', '203.0.113.7/32'])
          await speaker.announce('web')
          await has(router, 'ipv4', ['203.0.113.0/28'])
          await has(router, 'ipv6', [])
        })
      }

    test(`${name}: it restarts, and knows everything again`, async t => {
      const { router, speaker } = await running(t, make({ netns: NETNS, over: 'ipv4', ourAsn: 64500, asn: 64501 }))
      await speaker.announce('web', '203.0.113.7/32')
      speaker.peer(aPeer('ipv4'))
      await has(router, 'ipv4', ['203.0.113.7/32'])
      await router.kill()
      await waitFor(() => speaker.said('BGP session down').length === 1, 'the loss to be noticed')
      await router.start()
      await has(router, 'ipv4', ['203.0.113.7/32'])
      assert.equal(speaker.said('BGP session established').length, 2)
    })

    test(`${name}: a speaker that restarts gracefully loses no route`, async t => {
      const { router, speaker } = await running(t, make({ ...PLAIN, gracefulRestart: true }))
      const peer = aPeer('ipv4', { gracefulRestart: true })
      await speaker.announce('web', '203.0.113.7/32')
      await speaker.announce('dns', '203.0.113.8/32')
      speaker.peer(peer)
      await has(router, 'ipv4', ['203.0.113.7/32', '203.0.113.8/32'])
      const seen: number[] = []
      let watching = true
      t.after(() => {
        watching = false
      })
      const watch = async () => {
        while (watching) seen.push((await router.prefixes('ipv4')).length)
      }
      const watched = watch()
      await speaker.protocol.stop()
      const next = new BgpSpeaker({ complete: false })
      t.after(() => next.protocol.stop())
      next.peer(peer)
      await waitFor(() => next.said('BGP session established').length === 1, 'the session after the restart')
      await next.announce('web', '203.0.113.7/32')
      await waitFor(() => next.protocol.sessions.get('tor')?.status.told === 1, 'the first route to be told')
      await next.announce('new', '203.0.113.9/32') // once that is there, the router knows what was said before it
      await has(router, 'ipv4', ['203.0.113.7/32', '203.0.113.8/32', '203.0.113.9/32'])
      watching = false
      await watched
      assert.ok(Math.min(...seen) === 2, `${seen}: both routes stay until all is told`)
      next.protocol.complete()
      await has(router, 'ipv4', ['203.0.113.7/32', '203.0.113.9/32']) // the end of the routes: the other one is gone for good
    })

    for (const over of ['ipv4', 'ipv6'] as const)
      test(`${name}: TTL security over ${over}`, async t => {
        const { router, speaker } = await running(t, make({ ...PLAIN, over, gtsm: true }))
        await speaker.announce('web', '203.0.113.7/32')
        speaker.peer(aPeer(over, { ttlSecurityHops: 1 }))
        await has(router, 'ipv4', ['203.0.113.7/32'])
      })
  }

  for (const over of ['ipv4', 'ipv6'] as const)
    test(`FRR over ${over}: with TTL security on our side alone it is not heard`, async t => {
      const { speaker } = await running(t, frrRouter({ ...PLAIN, over }))
      const before = tooFarAway()
      speaker.peer(aPeer(over, { ttlSecurityHops: 1 }))
      await waitFor(() => tooFarAway() > before, 'our kernel to drop what it sends')
      assert.deepEqual(speaker.said('BGP session established'), [])
    })

  test('FRR: 10,000 prefixes in few messages', async t => {
    const { router, speaker } = await running(t, frrRouter(PLAIN))
    const prefixes = Array.from({ length: 10_000 }, (_, n) => `10.${100 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}/32`)
    await speaker.announce('web', ...prefixes)
    const begin = performance.now()
    speaker.peer(aPeer('ipv4', { dualStackAddressFamily: false }))
    const count = async () => (await (router as Frr).json<Summary>('show bgp ipv4 unicast summary')).peers
    await waitFor(async () => (await count())?.[OURS.ipv4]?.pfxRcd === 10_000, 'all of them in the table', 30_000)
    const ms = Math.round(performance.now() - begin)
    t.diagnostic(`10,000 prefixes: ${ms} ms from configuration to table, ${speaker.updates} UPDATEs`)
    assert.ok(speaker.updates > 0 && speaker.updates <= 10_000 / 50, `${speaker.updates} UPDATEs`)
    assert.equal(speaker.metrics.series.get(`metallb_bgp_announced_prefixes_total{peer="10.20.0.2:179"}`), 10_000)
  })

  test('FRR: route refresh brings everything again, and nothing else changes', async t => {
    const { router, speaker } = await running(t, frrRouter(PLAIN))
    await speaker.announce('web', '203.0.113.7/32')
    speaker.peer(aPeer('ipv4'))
    await has(router, 'ipv4', ['203.0.113.7/32'])
    await waitFor(() => speaker.updates >= 3, 'the route and the ends of both families')
    const before = speaker.updates
    await (router as Frr).ask(`clear bgp ipv4 unicast ${OURS.ipv4} soft in`)
    await waitFor(() => speaker.updates > before, 'the route again')
    assert.equal(speaker.said('BGP session down').length, 0)
    await has(router, 'ipv4', ['203.0.113.7/32'])
  })

  test('FRR: prepended AS and MED arrive', async t => {
    const { router, speaker } = await running(t, frrRouter(PLAIN))
    await speaker.announceWith({ prepend: 2, med: 50 }, 'web', '203.0.113.7/32')
    speaker.peer(aPeer('ipv4'))
    await has(router, 'ipv4', ['203.0.113.7/32'])
    const [path] = (await (router as Frr).table('ipv4'))['203.0.113.7/32'] ?? []
    assert.deepEqual([path?.path, path?.metric], ['64500 64500 64500', 50])
  })

  test('FRR: a NOTIFICATION is told in words, and the session comes back', async t => {
    const { router, speaker } = await running(t, frrRouter(PLAIN))
    speaker.peer(aPeer('ipv4'))
    await waitFor(() => speaker.said('BGP session established').length === 1, 'the session')
    await (router as Frr).ask(`clear bgp ${OURS.ipv4}`)
    await waitFor(() => speaker.said('BGP session established').length === 2, 'the session to come back')
    assert.deepEqual(speaker.said('peer sent notification, closing session'), [
      'got BGP notification code 0x0604 (Administrative Reset)',
    ])
  })

  test('FRR: a wrong ASN is told by both sides', async t => {
    const { speaker } = await running(t, frrRouter(PLAIN))
    speaker.peer(aPeer('ipv4', { remoteAs: 64999 }))
    await waitFor(() => speaker.said('failed to connect to peer').length > 0, 'the refusal')
    assert.match(speaker.said('failed to connect to peer')[0]!, /unexpected peer ASN 64501, want 64999/)
    assert.deepEqual(speaker.said('BGP session established'), [])
  })

  test('FRR: a hold time that matters starts the session anew, a changed selector does not', async t => {
    const { speaker } = await running(t, frrRouter({ ...PLAIN, password: 'new' }))
    speaker.peer(aPeer('ipv4', { password: 'new' }))
    await waitFor(() => speaker.said('BGP session established').length === 1, 'the session')
    speaker.peer(aPeer('ipv4', { password: 'new', nodeSelectors: [{}], connectMs: 5000 }))
    assert.deepEqual(speaker.said('BGP session down'), [])
    speaker.peer(aPeer('ipv4', { password: 'new', holdMs: 12_000 }))
    await waitFor(() => speaker.said('BGP session established').length === 2, 'the new session')
    assert.deepEqual(speaker.said('BGP session down'), ['stopped'])
  })
})

interface Summary {
  readonly peers?: Readonly<Record<string, { readonly pfxRcd: number }>>
}

/** Segments that this kernel has dropped for their TTL or hop limit. */
function tooFarAway(): number {
  const [names = '', values = ''] = readFileSync('/proc/thread-self/net/netstat', 'utf8').split('\n')
  return Number(values.split(' ')[names.split(' ').indexOf('TCPMinTTLDrop')])
}
