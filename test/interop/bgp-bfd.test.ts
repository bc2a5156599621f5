/** BFD under a BGP session with FRR and BIRD: each notices the other's silence long before the hold time. */
import assert from 'node:assert/strict'
import { after, before, type TestContext, test } from 'node:test'
import { LinuxLiveness } from '../../src/adapters/linux/index.ts'
import { systemClock as clock } from '../../src/adapters/system/clock.ts'
import { must } from '../../src/apps/lab/command.ts'
import { waitFor } from '../../src/apps/lab/index.ts'
import { bfdWorkerUrl } from '../../src/apps/speaker/bfd-worker-url.ts'
import { silent } from '../../src/ports/index.ts'
import { FakeMetrics } from '../../src/testing/fake-metrics.ts'
import { besideRouter, has, plain, ROUTERS, running } from './bgp-scene.ts'
import { aPeer, type BgpSpeaker } from './speaker.ts'

const NETNS = `bgp-bfd-${process.pid}`
/** No hold timer has a part in this. */
const PEER = aPeer('ipv4', { bfdProfile: 'fast', holdMs: 90_000 })
const PREFIX = '203.0.113.7/32'

besideRouter('BFD under BGP', NETNS, () => {
  const liveness = new LinuxLiveness({ worker: bfdWorkerUrl, log: silent, metrics: new FakeMetrics(), clock })
  before(() => liveness.start())
  after(() => liveness.stop())

  const watched = () => waitFor(() => liveness.sessions()[0]?.detectionTimeMs === 150, 'BFD, at the agreed interval')
  const downs = (speaker: BgpSpeaker) => speaker.said('BGP session down')

  for (const [name, make] of ROUTERS.filter(([router]) => router !== 'GoBGP')) {
    test(`${name}: a router that stands still is given up for BFD, and is back when it goes on`, async t => {
      const { router, speaker } = await running(t, make({ ...plain(NETNS), bfd: true }), { liveness })
      await speaker.announce('web', PREFIX)
      speaker.peer(PEER)
      await has(router, 'ipv4', [PREFIX])
      await watched()
      router.freeze()
      await waitFor(() => downs(speaker).length > 0, 'BFD')
      assert.equal(downs(speaker)[0], 'BFD session down')
      router.thaw()
      await waitFor(() => speaker.said('BGP session established').length > 1, 'the session to come back', 60_000)
      await has(router, 'ipv4', [PREFIX])
      await watched()
    })

    test(`${name}: it forgets our routes when we fall silent`, async t => {
      const { router, speaker } = await running(t, make({ ...plain(NETNS), bfd: true }), { liveness })
      await speaker.announce('web', PREFIX)
      speaker.peer(PEER)
      await has(router, 'ipv4', [PREFIX])
      await watched()
      const speak = await silence(t)
      await has(router, 'ipv4', [])
      await speak()
      await has(router, 'ipv4', [PREFIX])
    })
  }
})

/** Loses all that we send; the answer ends that. */
async function silence(t: TestContext): Promise<() => Promise<void>> {
  await must(['nft', '-f', '-'], {
    input: 'table ip silence { chain c { type filter hook output priority 0; drop; }; }\n',
  })
  let over = false
  const speak = async () => {
    if (!over) await must(['nft', 'delete', 'table', 'ip', 'silence'])
    over = true
  }
  t.after(speak)
  return speak
}
