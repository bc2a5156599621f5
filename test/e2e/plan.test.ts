/** What `metallbctl plan` predicts on the live objects is what controller and speakers then do. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type ServiceResource, services } from '../../src/api/kubernetes/index.ts'
import { type Lab, startLab, waitFor } from '../../src/apps/lab/index.ts'
import type { PlannedService } from '../../src/control/plan/index.ts'
import { podsReady, podYaml, serviceYaml, whyNoLab } from './harness.ts'

const skip = whyNoLab() ?? false

const pool = (range: string) => `
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: { name: lan, namespace: metallb-system }
spec: { addresses: [${range}] }
---`
const ADVERTISEMENT = `
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: { name: lan, namespace: metallb-system }
---`

describe('metallbctl plan', { skip }, () => {
  let lab: Lab
  let dir: string

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'plan-'))
    lab = await startLab({ name: 'alloc2plan' })
    const pods = ['web-1', 'web-2']
    await lab.apply(podYaml('web-1', 'web', 'node1') + podYaml('web-2', 'api', 'node2'))
    await podsReady(lab, pods)
  })
  after(async () => {
    await lab?.close()
    rmSync(dir, { recursive: true })
  })

  function plan(change?: string): PlannedService[] {
    const args = ['--live', '--kubeconfig', lab.kubeconfig, '-o', 'json']
    if (change !== undefined) {
      writeFileSync(join(dir, 'change.yaml'), change)
      args.push('--with', join(dir, 'change.yaml'))
    }
    const main = join(import.meta.dirname, '../../src/apps/metallbctl.ts')
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'plan', ...args], { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    return (JSON.parse(stdout) as { services: PlannedService[] }).services
  }

  /** Waits until the cluster shows what was planned: addresses, pool annotation, and the node that answers. */
  async function comesTrue(planned: readonly PlannedService[]): Promise<void> {
    for (const { namespace, name, addresses, pool, announcements } of planned) {
      const shown = () => lab.kube.get(services, { namespace, name })
      await waitFor(async () => ipsOf(await shown()).join() === addresses.join(), `${name} to show ${addresses}`)
      const { metadata } = await shown()
      assert.equal(metadata.annotations?.['metallb.io/ip-allocated-from-pool'] ?? null, pool)
      for (const { node, address } of announcements)
        await waitFor(async () => (await lab.owner(address)) === node, `${node} to answer for ${address}`)
    }
  }

  test('before anything is applied, after it, and for a change of the pool', async () => {
    const local = serviceYaml('api', 'api', 'externalTrafficPolicy: Local')
    const objects = `${pool('192.168.10.200-192.168.10.201')}${ADVERTISEMENT}`
    await lab.apply(serviceYaml('web', 'web'))
    const first = plan(objects)
    await lab.apply(objects)
    assert.deepEqual(
      first.map(({ addresses }) => addresses),
      [['192.168.10.200']],
    )
    await comesTrue(first)
    await lab.apply(`${local}${serviceYaml('late', 'web')}`)
    await waitFor(
      async () => ipsOf(await lab.kube.get(services, { namespace: 'default', name: 'api' })).length > 0,
      'api',
    )
    const second = plan()
    const late = second.find(({ name }) => name === 'late')!
    assert.deepEqual([late.addresses, late.reasons[0]!.code], [[], 'poolFull'])
    assert.deepEqual(
      second.find(({ name }) => name === 'api')!.announcements.map(({ node }) => node),
      ['node2'],
    )
    await comesTrue(second)
    const moved = pool('192.168.10.201-192.168.10.203')
    const third = plan(moved)
    await lab.apply(moved)
    assert.ok(third.every(({ addresses }) => addresses.length === 1))
    await comesTrue(third)
  })
})

function ipsOf({ status }: ServiceResource): string[] {
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? [])
}
