/** Speakers that stop and restart under a stream of requests, as a router with FRR and a client behind it see it. */
import assert from 'node:assert/strict'
import { createInterface } from 'node:readline'
import { after, before, describe, type TestContext, test } from 'node:test'
import { type Attempt, type Lab, type LabOptions, Probe, startLab, waitFor } from '../../src/apps/lab/index.ts'
import { Frr } from '../interop/frr.ts'
import { BGP_GUIDE, frrConfig, prepareRouter, whyNoFrr } from './bgp-router.ts'
import { podsReady, podYaml, serviceYaml, whyNoLab } from './harness.ts'

const skip = whyNoLab() ?? whyNoFrr() ?? false
const PREFIX = '203.0.113.0/32'
/** A machine that has no time for the client must not count as a loss. */
const PATIENCE_MS = 10_000
/** So slow that only what the test does brings it down. */
const BFD_MS = 500
const PODS = ['web-1', 'web-2', 'web-3']

/** A router, three nodes, a back end on each; and what to look at while something happens. */
class Scene {
  readonly lab: Lab
  readonly frr: Frr

  private constructor(lab: Lab, frr: Frr) {
    this.lab = lab
    this.frr = frr
  }

  /** `peer` stands in place of the BFD profile of the guide, `bfd` of FRR's lines for a neighbor. */
  static async set(options: LabOptions, peer: string, bfd: (neighbor: string) => string) {
    const lab = await startLab({ notReadyAfterMs: 1000, ...options })
    await prepareRouter(lab)
    const frr = new Frr({
      netns: lab.router.netns,
      config: frrConfig(lab).replace(/^( neighbor \S+) bfd\n.*\n/gm, (_, neighbor) => bfd(neighbor)),
      forwards: true,
      bfdIntervalMs: BFD_MS,
    })
    const scene = new Scene(lab, frr)
    await frr.start()
    const pods = PODS.map((pod, i) => podYaml(pod, 'web', `node${i + 1}`)).join('')
    const guide = BGP_GUIDE.replaceAll(/Interval: 50\b/g, `Interval: ${BFD_MS}`)
    await lab.apply(guide.replace('bfdProfile: fast', peer) + pods + serviceYaml('web', 'web'))
    await podsReady(lab, PODS)
    await scene.untilPaths(3)
    await scene.untilWatched(bfd('') === '' ? 0 : 3)
    return scene
  }

  async end(): Promise<void> {
    await this.frr.stop()
    await this.lab.close()
  }

  /** Nodes that the router's kernel sends to. */
  async paths(): Promise<string[]> {
    const { stdout } = await this.lab.router.exec(['ip', 'route', 'show', PREFIX])
    return this.lab.plan.nodes.filter(({ address }) => stdout.includes(`via ${address} `)).map(({ name }) => name)
  }

  /** Waits until the router sees so many nodes by BFD. */
  async untilWatched(count: number): Promise<void> {
    const up = async () => (await this.frr.ask('show bfd peers')).match(/Status: up/g)?.length ?? 0
    await waitFor(async () => (await up()) === count, `BFD with ${count} nodes`, 30_000)
  }

  async untilPaths(count: number): Promise<void> {
    await waitFor(async () => (await this.paths()).length === count, `${count} paths`, 30_000)
  }

  /** Requests of a client behind the router and changes of the route in its kernel while something happens. */
  async watch(t: TestContext, body: () => Promise<void>) {
    const changes: { readonly at: number; readonly line: string }[] = []
    const monitor = this.lab.router.start(['ip', '-4', 'monitor', 'route'])
    createInterface({ input: monitor.stdout! }).on('line', line => changes.push({ at: now(), line }))
    const probe = new Probe(this.lab.client, `http://${PREFIX.split('/')[0]}/`, 5, PATIENCE_MS)
    const flows = (since: number) => waitFor(() => probe.answersSince(since).length >= 50, 'requests to be answered')
    try {
      await flows(0)
      await body()
      await flows(now())
    } finally {
      monitor.kill('SIGKILL')
      await probe.stop()
    }
    const failed = probe.attempts.filter(({ error }) => error !== undefined)
    t.diagnostic(`${probe.attempts.length} requests, ${failed.length} of them failed`)
    return { changes, failed }
  }
}

describe('a speaker that restarts gracefully', { skip }, () => {
  let scene: Scene
  before(async () => {
    // a restart ends BFD too: FRR has to take that for a failure of what controls, not of what forwards (RFC 5882 section 4.3)
    const bfd = (neighbor: string) =>
      `${neighbor} bfd\n${neighbor} bfd profile fast\n${neighbor} bfd check-control-plane-failure\n`
    scene = await Scene.set({ name: 'bgpgr' }, 'bfdProfile: fast\n  enableGracefulRestart: true', bfd)
  })
  after(() => scene?.end())

  const established = async () => {
    const { address } = scene.lab.node('node1')
    const told = await scene.frr.ask(`show bgp neighbors ${address}`)
    return { up: /BGP state = Established/.test(told), times: Number(told.match(/established (\d+); dropped/)?.[1]) }
  }

  for (const signal of ['SIGKILL', 'SIGTERM'] as const)
    test(`${signal}: the router drops no route for a moment, and the client loses no request`, async t => {
      const { lab } = scene
      const { times } = await established()
      const { changes, failed } = await scene.watch(t, async () => {
        if (signal === 'SIGKILL') process.kill(lab.pid('speaker-node1')!, signal)
        else await lab.stopSpeaker('node1')
        await waitFor(async () => !(await established()).up, 'the router to notice')
        await waitFor(() => lab.pid('speaker-node1') === undefined, 'the end of the process')
        await scene.untilWatched(2)
        assert.equal((await scene.paths()).length, 3)
        await lab.restartSpeaker('node1')
        await waitFor(async () => (await established()).times === times + 1, 'the session to come back', 30_000)
        const stale = async () => /\bstale\b/i.test(await scene.frr.ask(`show bgp ipv4 unicast ${PREFIX}`))
        await waitFor(async () => !(await stale()), 'the routes to be confirmed')
      })
      assert.deepEqual(changes, [])
      assert.deepEqual(failed, [])
      assert.equal((await scene.paths()).length, 3)
    })
})

describe('--bgp-shutdown-grace', { skip }, () => {
  let scene: Scene
  before(async () => {
    // without BFD, whose end would be the last thing that the router names
    scene = await Scene.set({ name: 'bgpgrace', speakerFlags: ['--bgp-shutdown-grace=2s'] }, '', () => '')
  })
  after(() => scene?.end())

  // What is on its way while a router divides its flows anew may meet another node, which knows nothing of it.
  test('routers leave the node first, then its session ends; all requests are served but those on the way just then', async t => {
    const { lab, frr } = scene
    const { address } = lab.node('node1')
    const { changes, failed } = await scene.watch(t, async () => {
      const stopped = lab.stopSpeaker('node1')
      await scene.untilPaths(2)
      const path = await frr.ask(`show bgp ipv4 unicast ${PREFIX}`)
      assert.match(path, /graceful-shutdown/, 'it is left for the community, not for a withdrawal')
      assert.match(await frr.ask(`show bgp neighbors ${address}`), /BGP state = Established/)
      assert.deepEqual(await scene.paths(), ['node2', 'node3'])
      await stopped
      const ended = async () =>
        /Notification received \(Cease\/Administrative Shutdown\)/.test(await frr.ask(`show bgp neighbors ${address}`))
      await waitFor(ended, 'the goodbye')
      await lab.restartSpeaker('node1')
      await scene.untilPaths(3)
    })
    const onTheWay = ({ sent, ended }: Attempt) => changes.some(({ at }) => sent <= at && at - ended < 1000)
    assert.deepEqual(
      failed.filter(attempt => !onTheWay(attempt)),
      [],
    )
  })
})

/** Milliseconds since 1970, as the client counts them. */
function now(): number {
  return performance.timeOrigin + performance.now()
}
