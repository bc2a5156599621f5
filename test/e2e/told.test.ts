/** What people are told on real processes: events about Services that nobody announces, nodes held down, silent speakers. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { DEMO_MANIFEST } from '../../src/apps/cli/demo-manifest.ts'
import { type Lab, startLab, waitFor } from '../../src/apps/lab/index.ts'
import { serviceYaml, whyNoLab } from './harness.ts'

const skip = whyNoLab() ?? false
const EXCLUDE = 'node.kubernetes.io/exclude-from-external-load-balancers'
/** Nobody announces its addresses. Sessions with the router are wanted, which runs no BGP. */
const MORE = `---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: { name: silent, namespace: metallb-system }
spec: { addresses: [203.0.113.0/28], autoAssign: false }
---
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: { name: tor, namespace: metallb-system }
spec: { myASN: 64512, peerASN: 64513, peerAddress: 192.168.10.1 }
---${serviceYaml('quiet', 'web').replace('name: quiet', 'name: quiet, annotations: { metallb.io/address-pool: silent }')}`

interface Row {
  readonly node: string
  readonly announces: boolean
  readonly by: string
  readonly reasons: readonly { readonly code: string }[]
}

describe('what people are told', { skip }, () => {
  let lab: Lab
  let address = ''
  const kubectl = async (...args: string[]) => {
    const { code, stdout, stderr } = await lab.kubectl(args)
    assert.equal(code, 0, stderr)
    return stdout
  }
  const events = async (reason: string) => {
    const line = '{.involvedObject.kind} {.involvedObject.name} {.type} from {.reportingInstance}: {.message}'
    const path = `{range .items[?(@.reason=="${reason}")]}${line}{"\\n"}{end}`
    return (await kubectl('get', 'events', '-A', '-o', `jsonpath=${path}`)).trim().split('\n').sort()
  }
  /** As an administrator on a node would ask. */
  const ask = async (...args: string[]) => {
    const kubeconfig = join(lab.dir, 'users', 'admin.kubeconfig')
    const words = ['src/apps/metallbctl.ts', ...args, '--kubeconfig', kubeconfig, '--insecure-skip-speaker-tls-verify']
    return lab.node(1).exec([process.execPath, ...words])
  }
  const rows = async (): Promise<readonly Row[]> =>
    JSON.parse((await ask('explain', 'service', 'default/web', '-o', 'json')).stdout).layer2.nodes

  before(async () => {
    lab = await startLab({ name: 'extold', notReadyAfterMs: 1000, speakerFlags: ['--hold-down=15s'] })
    await lab.apply(DEMO_MANIFEST + MORE)
    const path = 'jsonpath={.status.loadBalancer.ingress[0].ip}'
    await waitFor(async () => {
      address = (await kubectl('get', 'service', 'web', '-o', path)).trim()
      return address !== '' && (await lab.owner(address)) !== undefined
    }, 'an address, and an owner')
  })
  after(() => lab?.close())

  test('an address that no advertisement asks for: on the pool and on the Service', async () => {
    await waitFor(async () => (await events('notAdvertised')).length === 2, 'both events', 20_000)
    const [pool, service] = await events('notAdvertised')
    assert.match(pool!, /^IPAddressPool silent Warning .*no L2Advertisement or BGPAdvertisement selects pool silent/)
    assert.match(service!, /^Service quiet Warning .*no node announces it: no L2Advertisement or BGPAdvertisement/)
  })

  test('labels that keep every node from announcing: one event, from the first of them', async () => {
    await kubectl('label', 'nodes', '--all', `${EXCLUDE}=`)
    await waitFor(async () => (await events('announceSkipped'))[0] !== '', 'the event', 20_000)
    await waitFor(async () => (await rows()).every(({ announces }) => !announces), 'nobody to announce')
    const [event, ...more] = await events('announceSkipped')
    const nodes = lab.plan.nodes.map(({ name }) => name).join(', ')
    assert.match(
      event!,
      new RegExp(`^Service web Warning from speaker-node1: no node is left .* nodes ${nodes} have the label`),
    )
    assert.deepEqual(more, [])
    await kubectl('label', 'nodes', '--all', `${EXCLUDE}-`)
    await waitFor(() => lab.owner(address), 'an owner again')
  })

  test('a node that comes back is held down, and explain says so by its own word', async () => {
    const owner = await waitFor(() => lab.owner(address), 'an owner')
    const isSettled = ({ name }: { name: string }) => /"settled":true/.test(lab.logs(`speaker-${name}`))
    await waitFor(() => lab.plan.nodes.every(isSettled), 'all speakers to have run for the time', 30_000)
    await lab.restartSpeaker(owner)
    const heirs = await waitFor(async () => {
      const all = await rows()
      const its = all.find(({ node }) => node === owner)
      const held = its?.by === 'speaker' && !its.announces && its.reasons.some(({ code }) => code === 'heldDown')
      return held && all.filter(({ announces }) => announces).map(({ node }) => node)
    }, `${owner} to say that it is held down`)
    await waitFor(async () => (await lab.owner(address)) === heirs[0], 'another node to answer')
    assert.equal(heirs.length, 1)
  })

  test('a speaker that does not answer is named, and the others are shown', async () => {
    lab.freeze('speaker-node3')
    try {
      const { stdout, stderr, code } = await ask('show', 'bgp', 'sum', '-o', 'json')
      assert.equal(code, 4, stderr)
      assert.match(stderr, /speaker on node node3: /)
      const shown = JSON.parse(stdout) as { node: string; bgp: { neighbors: { name: string; state: string }[] } }[]
      assert.deepEqual(
        shown.map(({ node, bgp }) => [node, ...bgp.neighbors.map(({ name }) => name)]),
        [
          ['node1', 'tor'],
          ['node2', 'tor'],
        ],
      )
    } finally {
      await lab.heal()
    }
    const neighbor = await ask('show', 'bgp', 'neigh', '192.0.2.9', '--node', 'node2')
    assert.equal(neighbor.code, 1)
    assert.match(neighbor.stderr, /no neighbor 192\.0\.2\.9 on node node2; there are: 192\.168\.10\.1 \(tor\)\n/)
    assert.match((await ask('show', 'bgp', 'ip')).stderr, /bgp ip: ipv4 or ipv6\?/)
  })
})
