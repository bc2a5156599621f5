/** BFD under a BGP session that both ends call multihop, on one link: the routers take the BFD session to be so too. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { LinuxLiveness } from '../../src/adapters/linux/index.ts'
import { systemClock as clock } from '../../src/adapters/system/clock.ts'
import { waitFor } from '../../src/apps/lab/index.ts'
import { bfdWorkerUrl } from '../../src/apps/speaker/bfd-worker-url.ts'
import { silent } from '../../src/ports/index.ts'
import { FakeMetrics } from '../../src/testing/fake-metrics.ts'
import { besideRouter, has, plain, ROUTERS, running } from './bgp-scene.ts'
import { OURS } from './router.ts'
import { aPeer, FAST } from './speaker.ts'

const NETNS = `bgp-bfd-hops-${process.pid}`
/** No hold timer has a part in this. */
const PEER = aPeer('ipv4', { bfdProfile: 'fast', holdMs: 90_000, ebgpMultiHop: true })
/** BIRD leaves the TTL of multihop packets to its kernel: 64. */
const FAR = { ...FAST, minimumTtl: 64 }
const PREFIX = '203.0.113.7/32'
/** BIRD looks for the way to a next hop that need not be on the link, and does not ask the kernel. */
const ROUTER = { ...plain(NETNS), hops: 2, via: OURS.ipv4, bfd: true }

besideRouter('BFD under multihop BGP', NETNS, () => {
  const liveness = new LinuxLiveness({ worker: bfdWorkerUrl, log: silent, metrics: new FakeMetrics(), clock })
  before(() => liveness.start())
  after(() => liveness.stop())

  for (const [name, make] of ROUTERS.filter(([router]) => router !== 'GoBGP'))
    test(`${name}: BFD comes up on the multihop port, and ends the session of a router that stands still`, async t => {
      const { router, speaker } = await running(t, make(ROUTER), { liveness })
      await speaker.announce('web', PREFIX)
      speaker.protocol.setPeers({ peers: [PEER], bfdProfiles: [FAR] })
      await has(router, 'ipv4', [PREFIX])
      await waitFor(() => liveness.sessions()[0]?.state === 'up', 'BFD')
      assert.equal(liveness.sessions()[0]?.multihop, true)
      router.freeze()
      await waitFor(() => speaker.said('BGP session down').length > 0, 'BFD to notice')
      assert.equal(speaker.said('BGP session down')[0], 'BFD session down')
      router.thaw()
    })
})
