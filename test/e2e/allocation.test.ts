/** No address twice and none moved: the controller is killed in the middle of its work, or there are two of them. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { pods, type ServiceResource, services } from '../../src/api/kubernetes/index.ts'
import { type Lab, nodeCommand, startLab, waitFor } from '../../src/apps/lab/index.ts'
import { whyNoLab } from './harness.ts'

const skip = whyNoLab() ?? false
const COUNT = 1000
const POOL = `
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: { name: wide, namespace: metallb-system }
spec: { addresses: [10.99.0.0/21] }
`

describe('allocation', { skip }, () => {
  let lab: Lab

  before(async () => {
    lab = await startLab({ name: 'alloc2', nodes: 1 })
    await lab.apply(POOL)
  })
  after(() => lab?.close())

  async function create(prefix: string, count: number): Promise<void> {
    let next = 0
    const worker = async () => {
      for (let index = next++; index < count; index = next++)
        await lab.kube.create(services, {
          metadata: { namespace: 'default', name: `${prefix}-${index}` },
          spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
        })
    }
    await Promise.all(Array.from({ length: 8 }, worker))
  }

  /** Address of every Service that has one; fails where two have the same. */
  async function addresses(): Promise<Map<string, string>> {
    const listed = await lab.kube.list(services, { namespace: 'default' })
    const found = new Map(listed.flatMap(service => ipsOf(service).map(ip => [service.metadata.name, ip] as const)))
    assert.equal(new Set(found.values()).size, found.size, 'an address was given twice')
    return found
  }

  function assertKept(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): void {
    for (const [name, address] of before) assert.equal(after.get(name), address, `${name} was moved`)
  }

  test('kill -9 in the middle of 1,000 creations: all are served, nobody twice, nobody moved', async () => {
    const creating = create('killed', COUNT)
    await waitFor(async () => (await addresses()).size >= COUNT / 4, 'a quarter to be served', 60_000)
    process.kill(lab.pid('controller')!, 'SIGKILL')
    const before = await addresses()
    assert.ok(before.size < COUNT, 'killed too late')
    await lab.restartController()
    await creating
    await waitFor(async () => (await addresses()).size >= COUNT, 'all to be served', 60_000)
    assertKept(before, await addresses())
  })

  test('two controllers at once: one decides; when it is killed the other takes over and moves nobody', async () => {
    const before = await addresses()
    const second = await startSecond(lab)
    await create('both', 100)
    await waitFor(async () => (await addresses()).size >= before.size + 100, 'all to be served', 30_000)
    const between = await addresses()
    assertKept(before, between)
    assert.ok(!second.log().includes('ipAllocated'), 'both decided')
    process.kill(lab.pid('controller')!, 'SIGKILL')
    await create('after', 20)
    await waitFor(async () => (await addresses()).size >= between.size + 20, 'the second to take over', 60_000)
    assertKept(between, await addresses())
    await second.stop()
  })
})

/** Another controller on the same cluster, outside of the lab's network. */
async function startSecond(lab: Lab) {
  const [namespace, name] = ['metallb-system', 'controller-1']
  const spec = { nodeName: 'control', containers: [{ name: 'controller', image: 'metallb:lab' }] }
  await lab.kube.create(pods, { metadata: { namespace, name }, spec })
  const flags = ['--port=0', '--health-probe-port=17498', '--webhook-mode=disabled', `--namespace=${namespace}`]
  const argv = nodeCommand('metallb', ['controller', ...flags, `--pod-name=${name}`, `--kubeconfig=${lab.kubeconfig}`])
  const child: ChildProcess = spawn(argv[0]!, argv.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] })
  let log = ''
  child.stdout!.on('data', chunk => {
    log += String(chunk)
  })
  await waitFor(() => log.includes('Starting Manager'), 'the second controller to start')
  const stop = async () => {
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
  }
  return { log: () => log, stop }
}

function ipsOf({ status }: ServiceResource): string[] {
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? [])
}
