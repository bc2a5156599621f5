/** How soon a router with BIRD leaves a node that dies: by BFD, and not by the hold timer. `bench/bgp-path.ts` has the milliseconds. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { type Lab, startLab, waitFor } from '../../src/apps/lab/index.ts'
import { BIRD, Bird } from '../interop/bird.ts'
import { BGP_GUIDE, birdConfig, prepareRouter, serveWeb } from './bgp-router.ts'
import { answers, whyNoLab } from './harness.ts'

const ADDRESS = '203.0.113.0'
/** On nodes that live on: what a dead back end costs is another matter. */
const PODS = ['web-1', 'web-2']
/** Of the guide. What BFD takes is 150 ms; half of this is far from both, however busy the machine is. */
const HOLD_MS = 9000

function whyNoBird(): string | undefined {
  if (existsSync(BIRD)) return undefined
  if (process.env.CI) throw new Error('in CI nothing is skipped: BIRD is missing')
  return 'BIRD is not installed'
}

describe('the path through a node that dies, with BIRD', { skip: whyNoLab() ?? whyNoBird() ?? false }, () => {
  let lab: Lab
  let bird: Bird

  before(async () => {
    lab = await startLab({ name: 'bgppath', notReadyAfterMs: 1000 })
    await prepareRouter(lab)
    bird = new Bird({ netns: lab.router.netns, config: birdConfig(lab) })
    await bird.start()
    await serveWeb(lab, BGP_GUIDE, PODS)
  })
  after(async () => {
    await bird?.stop()
    await lab?.close()
  })

  const hops = async () => {
    const { stdout } = await lab.router.exec(['ip', 'route', 'show', `${ADDRESS}/32`])
    return [...stdout.matchAll(/via (\S+)/g)].map(([, hop]) => hop!).sort()
  }
  const allIsWell = () =>
    waitFor(
      async () => {
        const sessions = await bird.ask('show', 'bfd', 'sessions')
        return (await hops()).length === 3 && sessions.match(/ Up /g)?.length === 3
      },
      'three paths with BFD',
      30_000,
    )

  test('it leaves the kernel by BFD, long before the hold time, and comes back', async t => {
    await allIsWell()
    const begin = performance.now()
    await lab.cut('node3') // without a word: a process that is killed would be told of by its kernel
    await waitFor(async () => (await hops()).length === 2, 'the path to go', HOLD_MS + 10_000)
    const took = performance.now() - begin
    t.diagnostic(`gone ${Math.round(took)} ms after the cut began`)
    assert.ok(took < HOLD_MS / 2, `gone after ${Math.round(took)} ms`)
    assert.deepEqual(await hops(), [lab.node(1).address, lab.node(2).address])
    assert.match(await bird.ask('show', 'protocols', 'all', 'node3'), /Last error: +Error: BFD session down/)
    await answers(lab.client, `http://${ADDRESS}/`, 20)
    await lab.heal()
    await allIsWell()
  })
})
