/** What the options of ours look like to FRR and BIRD: link bandwidth, GRACEFUL_SHUTDOWN. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { waitFor } from '../../src/apps/lab/index.ts'
import { besideRouter, has, plain, running } from './bgp-scene.ts'
import { birdRouter } from './bird.ts'
import { frrRouter } from './frr.ts'
import { aPeer } from './speaker.ts'

const NETNS = `bgpfeat-interop-${process.pid}`
const PREFIX = '203.0.113.7/32'
const SHUT_DOWN = { localPref: 0, communities: [{ kind: 'standard', parts: [65535, 0] }] } as const

interface FrrDetail {
  readonly paths: readonly {
    readonly locPrf?: number
    readonly community?: { readonly string: string }
    readonly extendedCommunity?: { readonly string: string }
  }[]
}

besideRouter('options of ours with other implementations', NETNS, () => {
  for (const asn of [64501, 64500])
    test(`FRR in AS ${asn}: link bandwidth, another one, and GRACEFUL_SHUTDOWN`, async t => {
      const { router, speaker } = await running(t, frrRouter({ ...plain(NETNS), asn }))
      const path = async () => (await router.json<FrrDetail>(`show bgp ipv4 unicast ${PREFIX}`)).paths?.[0]
      const bandwidth = async () => (await path())?.extendedCommunity?.string
      await speaker.announceWith({ linkBandwidth: 12_500_000 }, 'web', PREFIX)
      speaker.peer(aPeer('ipv4', { remoteAs: asn }))
      await has(router, 'ipv4', [PREFIX])
      assert.match(String(await bandwidth()), /^LB:64500:12500000 \(100\.000 Mbps\)/)
      await speaker.announceWith({ linkBandwidth: 25_000_000 }, 'web', PREFIX)
      await waitFor(async () => (await bandwidth())?.includes('(200.000 Mbps)') ?? false, 'the other bandwidth')
      await speaker.announceWith(SHUT_DOWN, 'web', PREFIX)
      await waitFor(async () => (await path())?.community?.string === 'graceful-shutdown', 'the community')
      assert.equal((await path())?.locPrf, 0) // told within the AS, concluded from the community outside (RFC 8326)
      assert.equal(await bandwidth(), undefined)
      assert.deepEqual(speaker.said('BGP session down'), [])
    })

  test('BIRD: link bandwidth and GRACEFUL_SHUTDOWN', async t => {
    const { router, speaker } = await running(t, birdRouter({ ...plain(NETNS), asn: 64500 }))
    const shown = () => router.ask('show', 'route', 'all')
    await speaker.announceWith({ ...SHUT_DOWN, linkBandwidth: 12_500_000 }, 'web', PREFIX)
    speaker.peer(aPeer('ipv4', { remoteAs: 64500 }))
    await has(router, 'ipv4', [PREFIX])
    const text = await shown()
    assert.match(text, /BGP\.community: \(65535,0\)/)
    assert.match(text, /BGP\.local_pref: 0\n/)
    assert.match(text, /BGP\.ext_community: \(unknown 0x4004, 64500, 1262402592\)/) // 12.5e6 as IEEE 754: 4b3ebc20
  })
})
