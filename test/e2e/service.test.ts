/** The main job, on real processes: a Service gets an address, and the address answers, whatever happens around it. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { ipAddressPools } from '../../src/api/index.ts'
import { type ServiceResource, services } from '../../src/api/kubernetes/index.ts'
import { type Host, type Lab, measureFailover, startLab, waitFor } from '../../src/apps/lab/index.ts'
import { answers, arp, isAnswered, podsReady, podYaml, serviceYaml, whyNoLab } from './harness.ts'

const skip = whyNoLab() ?? false
const PODS = ['web-1', 'web-2', 'web-3']

const POOL = `
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: { name: lan, namespace: metallb-system }
spec: { addresses: [192.168.10.200-192.168.10.219] }
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: { name: lan, namespace: metallb-system }
spec: { ipAddressPools: [lan] }
---`

const BAD_POOL = {
  apiVersion: 'metallb.io/v1beta1',
  kind: 'IPAddressPool',
  metadata: { name: 'bad', namespace: 'metallb-system' },
  spec: { addresses: ['192.168.10.300/24'] },
}

const OLD_PEER = `
apiVersion: metallb.io/v1beta1
kind: BGPPeer
metadata: { name: older, namespace: metallb-system }
spec:
  { myASN: 64512, peerASN: 64513, peerAddress: 192.168.10.1,
    nodeSelectors: [{ matchExpressions: [{ key: rack, operator: In, values: ['1'] }] }] }
---`

describe('Services of type LoadBalancer', { skip }, () => {
  let lab: Lab
  let address: string

  before(async () => {
    lab = await startLab({ name: 'svctest', notReadyAfterMs: 1000 })
    await apply(
      lab,
      POOL + PODS.map((pod, i) => podYaml(pod, 'web', `node${i + 1}`)).join('') + serviceYaml('web', 'web'),
    )
    await podsReady(lab, PODS)
    address = await addressOf(lab, 'web')
  })
  after(() => lab?.close())

  test('the Service gets the first address of the pool, and everybody can see why', async () => {
    assert.equal(address, '192.168.10.200')
    const { metadata } = await serviceOf(lab, 'web')
    assert.equal(metadata.annotations?.['metallb.io/ip-allocated-from-pool'], 'lan')
    await waitFor(async () => (await poolUsage(lab)) === '1/19', 'the pool to count it')
    const { stdout } = await lab.kubectl(['describe', 'service', 'web'])
    assert.match(stdout, /IPAllocated .* Assigned IP \["192\.168\.10\.200"\]/)
  })

  test('the client reaches every back end through the address', async () => {
    await waitForOwner(lab, address)
    const seen = await answers(lab.client, `http://${address}/`, 60)
    assert.deepEqual([...new Set(seen.map(({ pod }) => pod))].sort(), PODS)
  })

  test("only the owner's MAC ever claims the address", async () => {
    const owner = await waitForOwner(lab, address)
    const capture = await captureClaims(lab, lab.client, address)
    for (let i = 0; i < 5; i++) assert.deepEqual(await arp(lab.client, address), [lab.node(owner).mac])
    await forgetNeighbours(lab.client)
    await answers(lab.client, `http://${address}/`, 5)
    const claims = await capture.stop()
    assert.ok(claims.length >= 6, `${claims.length} claims were captured`)
    assert.deepEqual([...new Set(claims)], [lab.node(owner).mac])
  })

  test('ServiceL2Status names the owner', async () => {
    const owner = await waitForOwner(lab, address)
    const args = ['get', 'servicel2statuses', '-A', '-o', 'jsonpath={.items[*].status.node}']
    await waitFor(async () => (await lab.kubectl(args)).stdout === owner, `a ServiceL2Status that names ${owner} alone`)
  })

  test('when the node of the owner dies, another takes over, and it comes back after the boot', async () => {
    const owner = await waitForOwner(lab, address)
    const failover = await measureFailover(lab, address)
    assert.equal(failover.before, owner)
    assert.notEqual(failover.after, owner)
    await lab.heal()
    await waitFor(async () => (await lab.owner(address)) === owner, `${owner} to own the address again`)
    assert.deepEqual(await arp(lab.client, address), [lab.node(owner).mac])
  })

  test('a frozen speaker loses the address and yields it when it thaws to what the election says', async () => {
    const owner = await waitForOwner(lab, address)
    lab.freeze(`speaker-${owner}`)
    const other = await waitFor(async () => {
      const now = await lab.owner(address)
      return now !== undefined && now !== owner ? now : undefined
    }, 'another node to take the address over')
    await lab.heal()
    await waitFor(async () => (await lab.owner(address)) === owner, `${owner} to own the address again`)
    await waitFor(async () => (await arp(lab.client, address)).length === 1, `${other} to be silent`)
  })

  test('after a partition has healed a single node answers', async () => {
    const owner = await waitForOwner(lab, address)
    const rest = ['node1', 'node2', 'node3'].filter(node => node !== owner)
    await lab.partition([[owner], [...rest, 'client']])
    await waitFor(async () => rest.includes((await lab.owner(address)) ?? ''), "the client's side to have an owner")
    await lab.heal()
    const alone = async () => (await arp(lab.client, address)).join() === lab.node(owner).mac
    await waitFor(alone, `${owner} alone to answer`, 15_000)
  })

  test('a restarted speaker of another node claims nothing', async () => {
    const owner = await waitForOwner(lab, address)
    const other = ['node1', 'node2', 'node3'].find(node => node !== owner)!
    const capture = await captureClaims(lab, lab.client, address)
    await lab.restartSpeaker(other)
    await useNewService(lab, 'after-speaker')
    assert.deepEqual(await arp(lab.client, address), [lab.node(owner).mac])
    assert.deepEqual([...new Set(await capture.stop())], [lab.node(owner).mac])
  })

  test('the address survives a restart of its own speaker', async () => {
    const owner = await waitForOwner(lab, address)
    await lab.restartSpeaker(owner)
    await waitFor(async () => (await lab.owner(address)) === owner, `${owner} to own the address again`)
    await waitFor(async () => (await arp(lab.client, address)).length === 1, 'a single node to answer')
    assert.equal(await isAnswered(lab.client, `http://${address}/`), true)
  })

  test('a controller restart keeps every address', async () => {
    const names = ['keep-1', 'keep-2', 'keep-3', 'keep-4']
    await apply(lab, names.map(name => serviceYaml(name, 'web')).join(''))
    for (const name of names) await addressOf(lab, name)
    await deleteServices(lab, ['keep-1']) // a gap in the pool before the others
    const before = await statuses(lab)
    await lab.stopController()
    await apply(lab, serviceYaml('a-waiting', 'web')) // an allocator that had forgotten would give it the first address
    await lab.restartController()
    assert.equal(await addressOf(lab, 'a-waiting'), '192.168.10.201')
    await deleteServices(lab, ['a-waiting'])
    await useNewService(lab, 'after-controller')
    assert.deepEqual(await statuses(lab), before)
    await deleteServices(lab, names.slice(1))
  })

  test('a restart of the API server with its history lost moves nothing', async () => {
    const owner = await waitForOwner(lab, address)
    await apply(lab, serviceYaml('kept', 'web'))
    await waitForOwner(lab, await addressOf(lab, 'kept'))
    const before = await statuses(lab)
    const old = (await serviceOf(lab, 'kept')).metadata.resourceVersion
    const capture = await captureClaims(lab, lab.client, address)
    await lab.cut(owner, ['mgmt']) // its watches resume from a version the server does not know any more
    await apply(lab, serviceYaml('meanwhile', 'web'))
    await addressOf(lab, 'meanwhile')
    await lab.apiserver.restart()
    const watch = { method: 'GET', path: `/api/v1/services?watch=1&resourceVersion=${old}&timeoutSeconds=1` } as const
    assert.match((await lab.kube.connection.request(watch)).text, /"code":410/)
    await lab.heal()
    await useNewService(lab, 'after-apiserver')
    await deleteServices(lab, ['meanwhile'])
    assert.deepEqual(await statuses(lab), before)
    assert.equal(await lab.owner(address), owner)
    assert.deepEqual(
      [...new Set(await capture.stop())].filter(mac => mac !== lab.node(owner).mac),
      [],
    )
    await deleteServices(lab, ['kept'])
  })

  test('kubectl is refused a bad pool in a sentence, and a BGPPeer reads in both versions', async () => {
    const refused = await lab.kubectl(['create', '-f', '-'], { input: JSON.stringify(BAD_POOL) })
    assert.equal(refused.code, 1)
    assert.match(
      refused.stderr,
      /admission webhook "ipaddresspoolvalidationwebhook\.metallb\.io" denied the request: IPAddressPool metallb-system\/bad spec\.addresses\[0\]: .*192\.168\.10\.300/,
    )
    await lab.apply(OLD_PEER)
    const output = 'jsonpath={.items[*].spec.nodeSelectors}'
    const read = (version: string) =>
      lab.kubectl(['get', `bgppeers.${version}.metallb.io`, '-n', 'metallb-system', '-o', output])
    assert.match(
      (await read('v1beta2')).stdout,
      /"matchExpressions":\[\{"key":"rack","operator":"In","values":\["1"\]\}\]/,
    )
    assert.match(
      (await read('v1beta1')).stdout,
      /"matchExpressions":\[\{"key":"rack","operator":"In","values":\["1"\]\}\]/,
    )
    await lab.kubectl(['delete', 'bgppeer', 'older', '-n', 'metallb-system'])
  })

  test('a bad pool that no webhook saw is marked stale while the old one works', async () => {
    await lab.kubectl(['delete', 'validatingwebhookconfiguration', '--all'])
    await lab.kube.create(ipAddressPools, BAD_POOL)
    await waitFor(async () => (await staleness(lab)) === '1', 'the controller to count its configuration as stale')
    const { stdout } = await lab.kubectl(['get', 'configurationstates', '-A', '-o', 'yaml'])
    assert.match(stdout, /192\.168\.10\.300\/24/)
    assert.match(lab.logs('controller'), /"msg":"failed to parse the configuration"/)
    await useNewService(lab, 'while-stale')
    assert.equal(await isAnswered(lab.client, `http://${address}/`), true)
    await lab.kubectl(['delete', 'ipaddresspool', 'bad', '-n', 'metallb-system'])
    await waitFor(async () => (await staleness(lab)) === '0', 'the configuration to be good again')
    const results = ['get', 'configurationstates', '-n', 'metallb-system', '-o', 'jsonpath={.items[*].status.result}']
    await waitFor(
      async () => (await lab.kubectl(results)).stdout === 'Valid Valid Valid Valid',
      'controller and speakers to say that it is valid',
    )
  })

  test('externalTrafficPolicy Local: a node with an endpoint owns it, the pod sees the client', async () => {
    await lab.apply(podYaml('solo', 'solo', 'node3') + serviceYaml('solo', 'solo', 'externalTrafficPolicy: Local'))
    const solo = await addressOf(lab, 'solo')
    assert.equal(await waitForOwner(lab, solo), 'node3')
    const [seen] = await answers(lab.client, `http://${solo}/`, 1)
    assert.deepEqual(seen, { pod: 'solo', node: 'node3', client: lab.client.address })
    await lab.kubectl(['delete', 'pod', 'solo'])
    await waitFor(async () => (await arp(lab.client, solo)).length === 0, 'nobody to answer without endpoints')
    await lab.apply(podYaml('solo', 'solo', 'node1'))
    assert.equal(await waitForOwner(lab, solo), 'node1')
    await lab.kubectl(['delete', 'pod/solo', 'service/solo'])
  })

  test('nodeSelectors of the L2Advertisement decide who may announce', async () => {
    const owner = await waitForOwner(lab, address)
    const other = ['node1', 'node2', 'node3'].find(node => node !== owner)!
    const selectors = (hostname: string) =>
      `{"spec":{"nodeSelectors":[{"matchLabels":{"kubernetes.io/hostname":"${hostname}"}}]}}`
    const patch = ['patch', 'l2advertisement', 'lan', '-n', 'metallb-system', '--type=merge', '-p']
    assert.equal((await lab.kubectl([...patch, selectors(other)])).code, 0)
    await waitFor(async () => (await lab.owner(address)) === other, `${other} to own the address`)
    assert.equal((await lab.kubectl([...patch, '{"spec":{"nodeSelectors":null}}'])).code, 0)
    await waitFor(async () => (await lab.owner(address)) === owner, `${owner} to own the address again`)
  })

  test('a deleted Service gives its address back and is answered no more', async () => {
    await apply(lab, serviceYaml('short', 'web'))
    const short = await addressOf(lab, 'short')
    await waitForOwner(lab, short)
    await lab.kubectl(['delete', 'service', 'short'])
    await waitFor(async () => (await arp(lab.client, short)).length === 0, 'nobody to answer')
    await apply(lab, serviceYaml('next', 'web'))
    assert.equal(await addressOf(lab, 'next'), short)
    await deleteServices(lab, ['next'])
  })
})

/** As people do it. */
async function apply(lab: Lab, yaml: string): Promise<void> {
  const { code, stderr } = await lab.kubectl(['apply', '-f', '-'], { input: yaml })
  assert.equal(code, 0, stderr)
}

function serviceOf(lab: Lab, name: string): Promise<ServiceResource> {
  return lab.kube.get(services, { namespace: 'default', name })
}

function addressOf(lab: Lab, name: string): Promise<string> {
  const read = async () => (await serviceOf(lab, name)).status?.loadBalancer?.ingress?.[0]?.ip
  return waitFor(read, `Service ${name} to have an address`)
}

function waitForOwner(lab: Lab, address: string): Promise<string> {
  return waitFor(() => lab.owner(address), `a node to answer for ${address}`)
}

/** A Service made now that works to the end: controller, speakers and proxies have caught up. It is gone after. */
async function useNewService(lab: Lab, name: string): Promise<void> {
  await apply(lab, serviceYaml(name, 'web'))
  const address = await addressOf(lab, name)
  assert.equal(await isAnswered(lab.client, `http://${address}/`, 10_000), true, `${name} (${address}) answers`)
  await deleteServices(lab, [name])
}

async function deleteServices(lab: Lab, names: readonly string[]): Promise<void> {
  assert.equal((await lab.kubectl(['delete', 'service', ...names])).code, 0)
}

/** Every Service's address. */
async function statuses(lab: Lab): Promise<Record<string, unknown>> {
  const list = await lab.kube.list(services)
  return Object.fromEntries(list.map(({ metadata, status }) => [metadata.name, status?.loadBalancer]))
}

async function poolUsage(lab: Lab): Promise<string> {
  const path = 'jsonpath={.status.assignedIPv4}/{.status.availableIPv4}'
  return (await lab.kubectl(['get', 'ipaddresspool', 'lan', '-n', 'metallb-system', '-o', path])).stdout
}

/** The controller's metallb_k8s_client_config_stale_bool. */
async function staleness(lab: Lab): Promise<string | undefined> {
  const args = ['-sk', '-H', 'Authorization: Bearer admin-token', 'https://127.0.0.1:9120/metrics']
  const { stdout } = await lab.control.exec(['curl', ...args])
  return /^metallb_k8s_client_config_stale_bool(?:\{[^}]*\})? (\d)$/m.exec(stdout)?.[1]
}

async function forgetNeighbours(host: Host): Promise<void> {
  await host.exec(['ip', 'neigh', 'flush', 'dev', 'eth0'])
}

/** Records who claims the address on the LAN, by ARP replies or gratuitous packets, as a machine hears it. */
async function captureClaims(lab: Lab, host: Host, address: string): Promise<{ stop(): Promise<string[]> }> {
  const tcpdump = host.start(['tcpdump', '-lnei', 'eth0', '--immediate-mode', 'arp', 'and', 'host', address])
  let text = ''
  tcpdump.stdout!.on('data', chunk => {
    text += chunk
  })
  await once(tcpdump.stderr!, 'data') // "listening on eth0"
  const stop = async () => {
    tcpdump.kill('SIGTERM')
    await once(tcpdump, 'close')
    const claims = text.split('\n').filter(line => / is-at | who-has (\S+) .*tell \1,/.test(line))
    return claims.map(line => / ([0-9a-f:]{17}) > /.exec(line)![1]!).filter(mac => mac !== lab.client.mac)
  }
  return { stop }
}
