/** BGP options of ours on real processes, and what tells how the sessions are: a router with FRR, three nodes. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Lab, startLab, waitFor } from '../../src/apps/lab/index.ts'
import { Frr } from '../interop/frr.ts'
import { BGP_GUIDE, frrConfig, prepareRouter, whyNoFrr } from './bgp-router.ts'
import { podsReady, podYaml, serviceYaml, whyNoLab } from './harness.ts'

const skip = whyNoLab() ?? whyNoFrr() ?? false
const PREFIX = '203.0.113.0/32'
const NAMESPACE = ['-n', 'metallb-system']
/** As docs/guide/bgp.md has it. */
const OVERRIDES =
  '[{"nodeSelectors": [{"matchLabels": {"kubernetes.io/hostname": "node3"}}], "myASN": 64777, "routerID": "10.9.9.9"}]'

interface KernelRoute {
  readonly nexthops: readonly { readonly ip: string; readonly weight?: number; readonly active?: boolean }[]
}

describe('BGP options and state', { skip }, () => {
  let lab: Lab
  let frr: Frr
  const kubectl = async (...args: string[]) => {
    const { code, stdout, stderr } = await lab.kubectl(args)
    assert.equal(code, 0, stderr)
    return stdout
  }
  /** Weights by node, of the route that the router forwards by. */
  const weights = async () => {
    const routes = await frr.json<Record<string, KernelRoute[]>>('show ip route bgp')
    const hops = routes[PREFIX]?.[0]?.nexthops ?? []
    const nodeOf = (ip: string) => lab.plan.nodes.find(({ address }) => address === ip)?.name
    return Object.fromEntries(hops.filter(({ active }) => active).map(({ ip, weight }) => [nodeOf(ip), weight ?? 1]))
  }
  const show = async (...args: string[]) => {
    const kubeconfig = join(lab.dir, 'users', 'admin.kubeconfig')
    const argv = [process.execPath, 'src/apps/metallbctl.ts', 'show', 'bgp', ...args, '--kubeconfig', kubeconfig]
    const { stdout, stderr, code } = await lab.node(1).exec([...argv, '--insecure-skip-speaker-tls-verify'])
    return { text: stdout + stderr, code }
  }

  before(async () => {
    lab = await startLab({ name: 'bgpfeat', notReadyAfterMs: 1000 })
    await prepareRouter(lab)
    const { address } = lab.node(3)
    const config = frrConfig(lab).replace(`neighbor ${address} remote-as 64512`, `neighbor ${address} remote-as 64777`)
    frr = new Frr({ netns: lab.router.netns, config, forwards: true })
    await frr.start()
    const pods = [podYaml('one', 'web', 'node1'), podYaml('two', 'web', 'node1'), podYaml('three', 'web', 'node2')]
    await lab.apply(BGP_GUIDE + pods.join('') + serviceYaml('web', 'web', 'externalTrafficPolicy: Local'))
    await kubectl('annotate', 'bgppeer', 'tor', ...NAMESPACE, `metallb.io/node-overrides=${OVERRIDES}`)
    await kubectl('annotate', 'bgpadvertisement', 'bgp', ...NAMESPACE, 'metallb.io/link-bandwidth=100')
    await podsReady(lab, ['one', 'two', 'three'])
  })
  after(async () => {
    await frr?.stop()
    await lab?.close()
  })

  test('copies of a path: the router has one for each endpoint of a node, and one where they are not asked for', async () => {
    const copies = async () => {
      const paths = (await frr.table('ipv4'))[PREFIX] ?? []
      return lab.plan.nodes.map(node => paths.filter(({ peerId }) => peerId === node.address).length).join()
    }
    await waitFor(async () => (await copies()) === '1,1,0', 'a path of each node with endpoints', 30_000)
    await kubectl('annotate', 'bgppeer', 'tor', ...NAMESPACE, 'metallb.io/add-path=4')
    await waitFor(async () => (await copies()) === '2,1,0', 'a path for each endpoint', 30_000)
    const shown = async () => (await show('neighbor', '192.168.10.1', '--node', 'node1')).text
    const agreed = /Add-path: up to 4 copies of a path in ipv4/
    await waitFor(async () => agreed.test(await shown()), 'the agreement to be shown', 30_000) // BFD may have ended the session
    await kubectl('annotate', 'bgppeer', 'tor', ...NAMESPACE, 'metallb.io/add-path-')
    await waitFor(async () => (await copies()) === '1,1,0', 'a path of each node again', 30_000)
  })

  test('link bandwidth: the router divides traffic by the endpoints of each node', async () => {
    const ratio = async () => {
      const { node1 = 0, node2 = 1 } = await weights()
      return node1 / node2
    }
    await waitFor(async () => Math.abs((await ratio()) - 2) < 0.1, 'twice the traffic for two endpoints', 30_000)
    await kubectl('delete', 'pod', 'two', '--wait=false')
    await waitFor(async () => Math.abs((await ratio()) - 1) < 0.1, 'as much for each, with one endpoint each', 30_000)
  })

  test('a drained node is left by the traffic and goes on announcing; a cordoned one is not', async () => {
    const used = async () =>
      Object.keys(await weights())
        .sort()
        .join() // BFD may end a session on a busy machine
    await waitFor(async () => (await used()) === 'node1,node2', 'the router to use both nodes', 30_000)
    await kubectl('cordon', 'node1')
    await kubectl('label', 'node', 'node2', 'metallb.io/drain=')
    await waitFor(async () => Object.keys(await weights()).join() === 'node1', 'the router to use node1 alone')
    const told = await frr.ask(`show bgp ipv4 unicast ${PREFIX}`)
    assert.match(told, /graceful-shutdown/)
    assert.equal((await frr.table('ipv4'))[PREFIX]?.length, 2)
    await kubectl('label', 'node', 'node2', 'metallb.io/drain-')
    await waitFor(async () => Object.keys(await weights()).length === 2, 'both nodes again')
  })

  test('a node with an AS of its own has its session, and says so', async () => {
    const established = async () => (await show('summary')).text.match(/192\.168\.10\.1 .* \d\d:\d\d:\d\d /g)?.length
    await waitFor(async () => (await established()) === 3, 'three sessions', 30_000)
    const { text } = await show('running-config', '--node', 'node3')
    for (const line of ['router bgp 64777', ' bgp router-id 10.9.9.9', ' neighbor 192.168.10.1 password <retracted>'])
      assert.ok(text.split('\n').includes(line), `${line}\nin\n${text}`)
    assert.doesNotMatch((await show('running-config', '-o', 'json')).text, /secret/)
    assert.match((await show('running-config', '--node', 'node1')).text, /router bgp 64512\n/)
  })

  test('show bgp bfd, and refusals in words', async () => {
    const up = async () => (await show('bfd')).text.match(/Status: up/g)?.length
    await waitFor(async () => (await up()) === 3, 'three BFD sessions')
    assert.match((await show('bfd', '--node', 'node1')).text, /Detection timeout: 150ms/)
    assert.match(
      (await show('summary', '--node', 'node9')).text,
      /no speaker pod in namespace metallb-system on node node9/,
    )
    const elsewhere = await show('summary', '--namespace', 'nowhere')
    assert.match(elsewhere.text, /no speaker pod in namespace nowhere/)
    assert.equal(elsewhere.code, 1)
  })

  test('the state is told to nobody without a token', async () => {
    const url = `https://${lab.node(2).address}:9120/debug/v1/state`
    const ask = (...args: string[]) =>
      lab.node(1).exec(['curl', '-sk', '-o', '/dev/null', '-w', '%{http_code}', ...args, url])
    assert.equal((await ask()).stdout, '401')
    assert.equal((await ask('-H', 'Authorization: Bearer nonsense')).stdout, '401')
  })

  test('BGPSessionStates, as frr-k8s prints them', async () => {
    const table = async () => kubectl('get', 'bgpsessionstates', ...NAMESPACE)
    const row = (n: number) => new RegExp(`^node${n}-\\S+ +node${n} +192\\.168\\.10\\.1 +Established +Up *$`, 'm')
    await waitFor(async () => {
      const text = await table()
      return [1, 2, 3].every(n => row(n).test(text))
    }, 'a row a session, established and up')
    assert.match(await table(), /^NAME +NODE +PEER +VRF +BGP +BFD *$/m)
    await kubectl('delete', 'bgppeer', 'tor', ...NAMESPACE)
    await waitFor(async () => !(await table()).includes('node1'), 'the states to go with the peer')
  })
})
