/** BGP on real processes: a router with FRR learns Services from the speakers and forwards to them. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Lab, startLab, waitFor } from '../../src/apps/lab/index.ts'
import { Frr } from '../interop/frr.ts'
import { BGP_GUIDE, frrConfig, prepareRouter, serveWeb, whyNoFrr } from './bgp-router.ts'
import { answers, podsReady, podYaml, serviceYaml, whyNoLab } from './harness.ts'

const skip = whyNoLab() ?? whyNoFrr() ?? false
const PODS = ['web-1', 'web-2', 'web-3']

describe('BGP to a router with FRR', { skip }, () => {
  let lab: Lab
  let frr: Frr
  const table = async () => Object.keys(await frr.table('ipv4')).sort()
  const hops = async (prefix: string) =>
    ((await frr.table('ipv4'))[prefix] ?? []).flatMap(({ nexthops }) => nexthops.map(({ ip }) => ip)).sort()

  before(async () => {
    lab = await startLab({ name: 'bgptest', notReadyAfterMs: 1000 })
    await prepareRouter(lab)
    frr = new Frr({ netns: lab.router.netns, config: frrConfig(lab), forwards: true })
    await frr.start()
    await serveWeb(lab, BGP_GUIDE, PODS)
  })
  after(async () => {
    await frr?.stop()
    await lab?.close()
  })

  test('the router learns the address from every node', async () => {
    const nodes = lab.plan.nodes.map(({ address }) => address).sort()
    await waitFor(async () => (await hops('203.0.113.0/32')).length === 3, 'three paths to the address', 30_000)
    assert.deepEqual(await hops('203.0.113.0/32'), nodes)
    const [path] = (await frr.table('ipv4'))['203.0.113.0/32'] ?? []
    assert.equal(path?.path, '64512')
    assert.match(await frr.ask('show bgp ipv4 unicast 203.0.113.0/32'), /Community: 64512:7/)
  })

  test('ServiceBGPStatus says who announces it to whom', async () => {
    const path = '{range .items[*]}{.status.node}={.status.peers}{" "}{end}'
    const args = ['get', 'servicebgpstatuses', '-A', '-o', `jsonpath=${path}`]
    const wanted = 'node1=["tor"] node2=["tor"] node3=["tor"]'
    const said = async () => (await lab.kubectl(args)).stdout.trim().split(' ').sort().join(' ')
    await waitFor(async () => (await said()) === wanted, wanted)
  })

  test('metallbctl show bgp asks the speakers themselves', async () => {
    const kubeconfig = join(lab.dir, 'users', 'admin.kubeconfig')
    const show = async (...args: string[]) => {
      const argv = [process.execPath, 'src/apps/metallbctl.ts', 'show', 'bgp', ...args, '--kubeconfig', kubeconfig]
      const { stdout, stderr, code } = await lab.node(1).exec([...argv, '--insecure-skip-speaker-tls-verify'])
      return { text: stdout + stderr, code }
    }
    const summary = await show('summary')
    assert.equal(summary.text.match(/192\.168\.10\.1 .* 64513 /g)?.length, 3, summary.text)
    const neighbor = await show('neighbor', '192.168.10.1', '--node', 'node2')
    assert.match(neighbor.text, /BGP neighbor is 192\.168\.10\.1, remote AS 64513.*node2\)\n +BGP state = Established/)
    assert.match((await show('ipv4', '--node', 'node1')).text, /203\.0\.113\.0\/32 +192\.168\.10\.1 +- +64512:7 +sent/)
    assert.equal((await show('neighbor', '192.0.2.9')).code, 1)
  })

  test('a client behind the router reaches every back end, through several nodes', async () => {
    const seen = await answers(lab.client, 'http://203.0.113.0/', 60)
    assert.deepEqual([...new Set(seen.map(({ pod }) => pod))].sort(), PODS)
    const through = new Set(seen.filter(({ client }) => client.startsWith('192.168')).map(({ client }) => client))
    assert.ok(through.size > 1, `the router used ${[...through]}`)
  })

  test('with policy Local only nodes with an endpoint announce; a deleted Service is withdrawn', async () => {
    await lab.apply(podYaml('one', 'one', 'node2') + serviceYaml('one', 'one', 'externalTrafficPolicy: Local'))
    await podsReady(lab, ['one'])
    await waitFor(async () => (await hops('203.0.113.1/32')).length === 1, 'one path')
    assert.deepEqual(await hops('203.0.113.1/32'), [lab.node(2).address])
    assert.equal((await lab.kubectl(['delete', 'service', 'one'])).code, 0)
    await waitFor(async () => !(await table()).includes('203.0.113.1/32'), 'the withdrawal')
    assert.ok((await table()).includes('203.0.113.0/32'))
  })

  test('BFD: the path through a node that dies is gone at once', async t => {
    await waitFor(
      async () => (await frr.ask('show bfd peers')).match(/Status: up/g)?.length === 3,
      'three BFD sessions',
    )
    const killed = lab.kill('node3')
    const begin = performance.now()
    await waitFor(async () => (await hops('203.0.113.0/32')).length === 2, 'the path to go')
    t.diagnostic(`gone ${Math.round(performance.now() - begin)} ms after the kill began`)
    await killed
    assert.match(await frr.ask(`show bgp neighbors ${lab.node(3).address}`), /Notification sent \(Cease\/BFD Down\)/)
    await lab.heal()
    await waitFor(async () => (await hops('203.0.113.0/32')).length === 3, 'the path to come back', 30_000)
  })

  test('a speaker that stops says so, and comes back', async () => {
    // on a busy machine BFD may have ended sessions too
    const established = async () => {
      const shown = await frr.ask(`show bgp neighbors ${lab.node(1).address}`)
      return Number(/Connections established (\d+)/.exec(shown)?.[1])
    }
    const before = await established()
    await lab.restartSpeaker('node1')
    await waitFor(async () => (await established()) > before, 'the next session', 30_000)
    await waitFor(async () => (await hops('203.0.113.0/32')).length === 3, 'the path to come back', 30_000)
    assert.match(lab.logs('speaker-node1'), /"msg":"BGP session down".*"reason":"stopped"/)
  })
})
