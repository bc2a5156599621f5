/** BGP unnumbered on real processes: a cable from each node to a router with FRR, and no address to configure. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Lab, startLab, waitFor } from '../../src/apps/lab/index.ts'
import { Frr } from '../interop/frr.ts'
import { BGP_GUIDE, prepareRouter, serveWeb, whyNoFrr } from './bgp-router.ts'
import { answers, whyNoLab } from './harness.ts'

const skip = whyNoLab() ?? whyNoFrr() ?? false
const PREFIX = '203.0.113.0/32'
const PODS = ['web-1', 'web-2', 'web-3']
/** The objects of the guide, but for where the router is; BFD on such links is in `interop/bgp-unnumbered`. */
const UNNUMBERED = BGP_GUIDE.replace('peerAddress: 192.168.10.1', 'interface: uplink').replace(
  /^ +bfdProfile: .*\n/m,
  '',
)

const frrConfig = ({ plan }: Lab) => `router bgp 64513
 bgp router-id 192.168.10.1
 no bgp ebgp-requires-policy
 bgp bestpath as-path multipath-relax
${plan.nodes
  .map(
    ({ name }) => ` neighbor ${name} interface remote-as 64512
 neighbor ${name} password secret
 neighbor ${name} timers connect 1`,
  )
  .join('\n')}
 address-family ipv4 unicast
  maximum-paths 16
 exit-address-family
`

describe('BGP unnumbered to a router with FRR', { skip }, () => {
  let lab: Lab
  let frr: Frr

  before(async () => {
    assert.match(UNNUMBERED, /interface: uplink\n/)
    assert.doesNotMatch(UNNUMBERED, /bfdProfile/)
    lab = await startLab({ name: 'bgpunnum', notReadyAfterMs: 1000, uplinks: true })
    await prepareRouter(lab)
    frr = new Frr({ netns: lab.router.netns, config: frrConfig(lab), forwards: true })
    await frr.start()
    await serveWeb(lab, UNNUMBERED, PODS)
  })
  after(async () => {
    await frr?.stop()
    await lab?.close()
  })

  /** Cables of the router that its kernel forwards by. */
  const cables = async () => {
    const { stdout } = await lab.router.exec(['ip', 'route', 'show', PREFIX])
    return [...stdout.matchAll(/via inet6 fe80::\S+ dev (\S+)/g)].map(([, device]) => device!).sort()
  }
  const show = async (...args: string[]) => {
    const kubeconfig = join(lab.dir, 'users', 'admin.kubeconfig')
    const argv = [process.execPath, 'src/apps/metallbctl.ts', 'show', 'bgp', ...args, '--kubeconfig', kubeconfig]
    const { stdout, stderr } = await lab.node(1).exec([...argv, '--insecure-skip-speaker-tls-verify'])
    return stdout + stderr
  }
  const nodes = () => lab.plan.nodes.map(({ name }) => name)

  test('each node and the router find each other, and IPv4 goes over IPv6 next hops', async () => {
    await waitFor(async () => (await cables()).join() === nodes().join(), 'a path over each cable', 60_000)
    assert.match(
      await show('neighbor', 'uplink', '--node', 'node2'),
      /BGP neighbor on uplink: fe80::\S+, remote AS 64513/,
    )
  })

  test('a client behind the router reaches every back end', async () => {
    const seen = await answers(lab.client, 'http://203.0.113.0/', 60)
    assert.deepEqual([...new Set(seen.map(({ pod }) => pod))].sort(), PODS)
  })

  test('a cable that is pulled takes its path along, and the session is back with it', async () => {
    const set = (how: 'down' | 'up') => lab.router.exec(['ip', 'link', 'set', 'node3', how])
    await set('down')
    await waitFor(async () => (await cables()).join() === 'node1,node2', 'the path to go')
    await waitFor(
      async () => /interface uplink has no carrier/.test(await show('neighbor', 'tor', '--node', 'node3')),
      'why',
    )
    await set('up')
    // asked of bgpd: after a flap zebra 8.4 calls all three paths used, and its kernel has two
    await waitFor(async () => (await frr.table('ipv4'))[PREFIX]?.length === 3, 'the path to come back', 60_000)
    assert.match(await show('neighbor', 'tor', '--node', 'node3'), /BGP state = Established/)
  })
})
