/** The lab does what it says: networks, pods, proxy rules, faults, and nothing left behind. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { endpointSlices, nodes, services } from '../../src/api/kubernetes/index.ts'
import {
  isRunning,
  type Lab,
  labDirectory,
  readState,
  run,
  startLab,
  tearDown,
  waitFor,
} from '../../src/apps/lab/index.ts'
import { answers, arp, isAnswered, podsReady, podYaml, serviceYaml, whyNoLab } from './harness.ts'

const skip = whyNoLab() ?? false
const PODS = ['web-1', 'web-2', 'web-3']
const VIP = '192.168.10.240'
const VIP_LOCAL = '192.168.10.241'

describe('a lab without MetalLB', { skip }, () => {
  let lab: Lab

  before(async () => {
    lab = await startLab({ name: 'labtest', metallb: false, notReadyAfterMs: 300 })
    await lab.apply(PODS.map((pod, i) => podYaml(pod, 'web', `node${i + 1}`)).join(''))
    await lab.apply(serviceYaml('web', 'web') + serviceYaml('local', 'web', 'externalTrafficPolicy: Local'))
    await podsReady(lab, PODS)
  })
  after(() => lab?.close())

  test('every machine of the LAN answers for its own address, by its own MAC', async () => {
    for (const { address, mac } of [lab.router, lab.node(1), lab.node(2), lab.node(3)])
      assert.deepEqual(await arp(lab.client, address), [mac])
  })

  test('pods reach one another over the routes between the nodes', async () => {
    const [first] = await answers(lab.pod('web-1'), pageOf(lab, 'web-3'), 1)
    assert.deepEqual(first, { pod: 'web-3', node: 'node3', client: lab.pod('web-1').address })
  })

  test('a Pod without a node is placed, gets an address and goes when it is deleted', async () => {
    await lab.apply(podYaml('extra', 'extra'))
    await podsReady(lab, ['extra'])
    assert.equal(await isAnswered(lab.node(1), pageOf(lab, 'extra')), true)
    assert.equal((await lab.kubectl(['delete', 'pod', 'extra'])).code, 0)
    await waitFor(async () => !(await netnsList()).includes(lab.netns('pod.default.extra')), 'its namespace to go')
    assert.equal(lab.pid('pod-default-extra'), undefined)
  })

  describe('kube-proxy', () => {
    before(async () => {
      await setIngress(lab, 'web', VIP)
      await setIngress(lab, 'local', VIP_LOCAL)
    })

    test('Cluster: every back end serves, through the node that got the packet', async () => {
      await holdAddress(lab, 'node1', VIP, async () => {
        const seen = await answers(lab.client, `http://${VIP}/`, 60)
        assert.deepEqual([...new Set(seen.map(({ pod }) => pod))].sort(), PODS)
        const sources = new Set(seen.map(({ client }) => client))
        assert.deepEqual([...sources].sort(), ['10.244.1.1', lab.node(1).address]) // its own pod sees the bridge
      })
    })

    test("Local: only the node's own back end serves, and sees the client", async () => {
      await holdAddress(lab, 'node2', VIP_LOCAL, async () => {
        const seen = await answers(lab.client, `http://${VIP_LOCAL}/`, 20)
        for (const answer of seen) assert.deepEqual(answer, { pod: 'web-2', node: 'node2', client: lab.client.address })
      })
    })

    test('Local: a node without back ends drops, but its pods and itself reach them all', async () => {
      assert.equal((await lab.kubectl(['label', 'pod', 'web-3', 'app-', '--overwrite'])).code, 0)
      await waitFor(async () => (await targets(lab, 'local')).length === 2, 'the endpoint to go')
      await holdAddress(lab, 'node3', VIP_LOCAL, async () => {
        assert.equal(await isAnswered(lab.client, `http://${VIP_LOCAL}/`), false)
        for (const host of [lab.pod('web-3'), lab.node(3)]) {
          const seen = await answers(host, `http://${VIP_LOCAL}/`, 30)
          assert.deepEqual([...new Set(seen.map(({ pod }) => pod))].sort(), ['web-1', 'web-2'])
        }
      })
      assert.equal((await lab.kubectl(['label', 'pod', 'web-3', 'app=web'])).code, 0)
      await waitFor(async () => (await targets(lab, 'local')).length === 3, 'the endpoint to come back')
    })

    test('a cluster IP works on the nodes', async () => {
      const { spec } = await lab.kube.get(services, { namespace: 'default', name: 'web' })
      const seen = await answers(lab.node(2), `http://${spec?.clusterIP}/`, 40)
      assert.deepEqual([...new Set(seen.map(({ pod }) => pod))].sort(), PODS)
    })
  })

  describe('faults', () => {
    after(() => lab.heal())

    test('a cut LAN link takes the carrier and leaves the management network', async () => {
      await lab.cut('node1')
      assert.deepEqual(await carrier(lab, 'node1'), { eth0: false, mgmt0: true })
      assert.deepEqual(await arp(lab.client, lab.node(1).address), [])
      await lab.heal()
      assert.deepEqual(await carrier(lab, 'node1'), { eth0: true, mgmt0: true })
      assert.deepEqual(await arp(lab.client, lab.node(1).address), [lab.node(1).mac])
    })

    test('a partition separates its groups and nobody else', async () => {
      await lab.partition([['node1'], ['node2', 'node3']])
      const reaches = async (from: string, to: string) => (await arp(lab.node(from), lab.node(to).address)).length > 0
      assert.equal(await reaches('node1', 'node2'), false)
      assert.equal(await reaches('node3', 'node1'), false)
      assert.equal(await reaches('node2', 'node3'), true)
      assert.deepEqual(await arp(lab.client, lab.node(1).address), [lab.node(1).mac])
      await lab.heal()
      assert.equal(await reaches('node1', 'node2'), true)
    })

    test('loss loses about that share, each way', async () => {
      await lab.loss('node2', 50)
      const count = 400
      const args = ['-c', String(count), '-W', '0.001', '-w', '5', '-i', 'eth0', lab.node(2).address]
      const { stdout } = await lab.client.exec(['arping', ...args])
      const got = [...stdout.matchAll(/ from /g)].length
      assert.ok(got > count * 0.12 && got < count * 0.4, `${got} of ${count} came through, a quarter should`)
      await lab.heal()
    })

    test('a frozen node accepts connections and does not answer until it thaws', async () => {
      lab.freeze('node2')
      assert.equal(await isAnswered(lab.node(1), pageOf(lab, 'web-2')), false)
      assert.deepEqual(await arp(lab.client, lab.node(2).address), [lab.node(2).mac])
      await lab.heal()
      assert.equal(await isAnswered(lab.node(1), pageOf(lab, 'web-2')), true)
    })

    test('a killed node loses processes, links and, after the grace period, its endpoints; heal boots it', async () => {
      await lab.kill('node3')
      await waitFor(() => lab.pid('pod-default-web-3') === undefined, 'its pod to die')
      assert.deepEqual(await carrier(lab, 'node3'), { eth0: false, mgmt0: false })
      await waitFor(async () => (await readiness(lab, 'node3')) === 'Unknown', 'the node to be not ready')
      await waitFor(async () => (await readyTargets(lab, 'web')).length === 2, 'its endpoint to be not ready')
      await lab.heal()
      assert.equal(await readiness(lab, 'node3'), 'True')
      await waitFor(async () => (await readyTargets(lab, 'web')).length === 3, 'its endpoint to be ready')
      assert.equal(await isAnswered(lab.node(1), pageOf(lab, 'web-3'), 2000), true)
    })
  })

  test('the API server comes back with its objects after a restart', async () => {
    const before = await lab.kube.list(services)
    await lab.apiserver.restart()
    assert.deepEqual(await lab.kube.list(services), before)
  })
})

describe('the end of a lab', { skip }, () => {
  test('two labs live side by side and leave nothing', async () => {
    const [one, two] = await Promise.all(['labone', 'labtwo'].map(name => startLab({ name, nodes: 1, metallb: false })))
    assert.deepEqual(await arp(one!.client, one!.node(1).address), [one!.node(1).mac])
    assert.deepEqual(await arp(two!.client, two!.node(1).address), [two!.node(1).mac])
    await one!.close()
    assert.deepEqual(await arp(two!.client, two!.node(1).address), [two!.node(1).mac])
    await two!.close()
    assert.deepEqual(await leftovers(['labone', 'labtwo']), [])
  })

  test('a lab whose supervisor was killed takes its processes along, and tear-down finds the rest', async t => {
    const supervisor = await startSupervisor('labcrash')
    t.after(() => tearDown('labcrash'))
    const { processes } = readState(labDirectory('labcrash'))!
    assert.deepEqual(
      processes.filter(isRunning).map(({ name }) => name),
      ['apiserver', 'relay'],
    )
    supervisor.kill('SIGKILL')
    await waitFor(() => !processes.some(isRunning), 'the processes to die with their supervisor')
    assert.notDeepEqual(await leftovers(['labcrash']), [])
    await tearDown('labcrash')
    assert.deepEqual(await leftovers(['labcrash']), [])
    await tearDown('labcrash') // and again
  })

  test('a lab that runs is not started a second time', async t => {
    const lab = await startLab({ name: 'labonce', nodes: 1, metallb: false })
    t.after(() => lab.close())
    await assert.rejects(startLab({ name: 'labonce' }), /lab 'labonce' is running already \(pid \d+\)/)
  })
})

/** Lets a node hold the address as its own, in place of a speaker, while the work goes on. */
async function holdAddress(lab: Lab, node: string, address: string, work: () => Promise<void>): Promise<void> {
  const change = (verb: string) => lab.node(node).exec(['ip', 'addr', verb, `${address}/32`, 'dev', 'eth0'])
  await change('add')
  try {
    await work()
  } finally {
    await change('del')
    await lab.client.exec(['ip', 'neigh', 'flush', 'dev', 'eth0'])
  }
}

async function setIngress(lab: Lab, name: string, ip: string): Promise<void> {
  const body = { status: { loadBalancer: { ingress: [{ ip }] } } }
  await lab.kube.patch(services, { namespace: 'default', name }, { type: 'merge', body }, 'status')
}

const pageOf = (lab: Lab, pod: string) => `http://${lab.pod(pod).address}:8080/`

async function targets(lab: Lab, service: string) {
  const slices = await lab.kube.list(endpointSlices, { labelSelector: `kubernetes.io/service-name=${service}` })
  return slices.flatMap(({ endpoints = [] }) => endpoints)
}

async function readyTargets(lab: Lab, service: string) {
  return (await targets(lab, service)).filter(({ conditions }) => conditions?.ready)
}

async function readiness(lab: Lab, name: string): Promise<string | undefined> {
  const { status } = await lab.kube.get(nodes, { name })
  return status?.conditions?.find(({ type }) => type === 'Ready')?.status
}

async function carrier(lab: Lab, node: string): Promise<Record<string, boolean>> {
  const { stdout } = await lab.node(node).exec(['ip', '-j', 'link', 'show'])
  const links = JSON.parse(stdout) as { ifname: string; flags: string[] }[]
  const wanted = links.filter(({ ifname }) => ['eth0', 'mgmt0'].includes(ifname))
  const pairs = wanted.map(({ ifname, flags }) => [ifname, flags.includes('LOWER_UP')] as const)
  return Object.fromEntries(pairs.sort(([a], [b]) => (a < b ? -1 : 1)))
}

async function netnsList(): Promise<string[]> {
  return (await run(['ip', 'netns', 'list'])).stdout.split('\n').map(line => line.split(' ')[0]!)
}

async function leftovers(names: string[]): Promise<string[]> {
  const namespaces = (await netnsList()).filter(netns => names.some(name => netns.startsWith(`metallb-${name}.`)))
  return [...namespaces, ...names.map(labDirectory).filter(dir => existsSync(dir))]
}

/** A process of its own that starts a lab and waits. */
async function startSupervisor(name: string): Promise<ChildProcess> {
  const program = `
    import { startLab } from '${new URL('../../src/apps/lab/index.ts', import.meta.url)}'
    await startLab({ name: '${name}', nodes: 1, metallb: false })
    process.send('up')`
  const args = ['--input-type=module-typescript', '-e', program]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  await once(child, 'message')
  return child
}
