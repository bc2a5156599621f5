import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256 } from '../../adapters/system/hash.ts'
import type { KubeObject } from '../../core/object.ts'
import { clusterOf, locate } from '../explain/index.ts'
import { comparePlans, planAssumptions, planCluster, withAssumedFields, withChange } from './index.ts'

const options = { hash: sha256, lbClass: '', ignoreExcludeLb: false }
const object = (apiVersion: string, kind: string, name: string, rest: object = {}, metadata: object = {}): KubeObject =>
  locate({ apiVersion, kind, metadata: { name, ...metadata }, ...rest } as KubeObject, 'metallb-system')
const ours = (kind: string, name: string, spec: object) => object('metallb.io/v1beta1', kind, name, { spec })
const pool = (addresses: string[], rest: object = {}) => ours('IPAddressPool', 'p', { addresses, ...rest })
const service = (name: string, created: string, ip?: string, spec: object = {}) =>
  object(
    'v1',
    'Service',
    name,
    {
      spec: { type: 'LoadBalancer', clusterIP: '10.96.0.1', ports: [{ port: 80 }], ...spec },
      status: { loadBalancer: ip === undefined ? {} : { ingress: [{ ip }] } },
    },
    { creationTimestamp: created },
  )
const slice = (name: string, ...nodes: string[]) =>
  object(
    'discovery.k8s.io/v1',
    'EndpointSlice',
    `${name}-1`,
    { endpoints: nodes.map(nodeName => ({ addresses: ['10.0.0.1'], nodeName })) },
    { labels: { 'kubernetes.io/service-name': name } },
  )
const nodes = ['n1', 'n2'].map(name => object('v1', 'Node', name))

function planned(objects: readonly KubeObject[], flags: object = {}) {
  const { cluster } = withAssumedFields(clusterOf(objects, 'metallb-system'))
  const plan = planCluster(cluster, { ...options, ...flags })
  assert.equal(plan.kind, 'plan')
  return plan as Extract<typeof plan, { kind: 'plan' }>
}

function addresses(objects: readonly KubeObject[]): Record<string, string> {
  return Object.fromEntries(planned(objects).services.map(({ name, addresses }) => [name, addresses.join(' ')]))
}

test('who shows a valid address keeps it, the others are served by age', () => {
  const three = pool(['10.0.0.0-10.0.0.2'])
  const late = service('a', '2026-01-03')
  const early = service('b', '2026-01-02')
  const holder = service('c', '2026-01-04', '10.0.0.0')
  assert.deepEqual(addresses([three, late, early, holder]), { a: '10.0.0.2', b: '10.0.0.1', c: '10.0.0.0' })
})

test('who waits gets what another gives up in the same pass', () => {
  const objects = [
    pool(['10.0.0.0/32']),
    service('gone', '2026-01-02', '10.0.0.0', { loadBalancerIP: '10.9.9.9' }),
    service('waits', '2026-01-01'),
  ]
  assert.deepEqual(addresses(objects), { gone: '', waits: '10.0.0.0' })
})

test('a Service that is left over says why, pool by pool, and why nobody announces it', () => {
  const objects = [pool(['10.0.0.0/32']), service('a', '1', '10.0.0.0'), service('b', '2'), ...nodes]
  const [, left] = planned(objects).services
  assert.deepEqual(
    left!.reasons.map(({ code, message }) => `${code} ${message}`),
    ['poolFull exhausted (1/1 ipv4 addresses in use)', 'noIPAllocated the controller has assigned no address yet'],
  )
  assert.deepEqual(
    left!.events.map(({ reason }) => reason),
    ['AllocationFailed'],
  )
})

test('announcements: the layer 2 owner, and BGP prefixes of the nodes that have a peer and an endpoint', () => {
  const objects = [
    pool(['10.0.0.0/24']),
    ours('L2Advertisement', 'l2', {}),
    ours('BGPAdvertisement', 'bgp', { aggregationLength: 24 }),
    object('metallb.io/v1beta2', 'BGPPeer', 'tor', { spec: { myASN: 64512, peerASN: 64513, peerAddress: '10.9.0.1' } }),
    service('web', '1', undefined, { externalTrafficPolicy: 'Local', ports: [{ port: 80 }] }),
    slice('web', 'n2'),
    ...nodes,
  ]
  assert.deepEqual(planned(objects).services[0]!.announcements, [
    { protocol: 'layer2', node: 'n2', address: '10.0.0.0', interfaces: 'all' },
    { protocol: 'bgp', node: 'n2', address: '10.0.0.0', prefix: '10.0.0.0/24', peers: ['tor'], advertisement: 'bgp' },
  ])
})

test('a change: what is applied keeps what only the cluster knows, what is deleted is gone', () => {
  const before = [pool(['10.0.0.0-10.0.0.1']), service('a', '1', '10.0.0.1'), service('b', '2', '10.0.0.0')]
  const bare = object('v1', 'Service', 'a', { spec: { type: 'LoadBalancer', ports: [{ port: 443 }] } })
  const gone = { ...service('b', '2'), $patch: 'delete' } as KubeObject
  const fresh = object('v1', 'Service', 'c', { spec: { type: 'LoadBalancer', ports: [{ port: 80 }] } })
  const after = withChange(before, [bare, gone, fresh])
  assert.deepEqual(addresses(after), { a: '10.0.0.1', c: '10.0.0.0' })
  assert.deepEqual(comparePlans(planned(before).services, planned(after).services), [
    { namespace: 'default', name: 'b', what: 'addresses', kind: 'loses', before: ['10.0.0.0'], after: [] },
    { namespace: 'default', name: 'c', what: 'addresses', kind: 'gains', before: [], after: ['10.0.0.0'] },
  ])
})

test('what the API server would fill in is assumed and said', () => {
  const fresh = object('v1', 'Service', 'c', { spec: { type: 'LoadBalancer', ipFamilyPolicy: 'RequireDualStack' } })
  const { assumptions } = withAssumedFields(clusterOf([fresh], 'metallb-system'))
  assert.deepEqual(assumptions, ['Service default/c has no cluster IP yet: IPv4 and IPv6 is assumed'])
  assert.deepEqual(addresses([pool(['10.0.0.0/24', 'fd00::/64']), fresh]), { c: '10.0.0.0 fd00::' })
})

test('a Service of another class is left alone', () => {
  const other = service('x', '1', '10.0.0.9', { loadBalancerClass: 'other' })
  const [plan] = planned([pool(['10.0.0.0/24']), other, ...nodes]).services
  assert.deepEqual([plan!.addresses, plan!.pool, plan!.announcements], [['10.0.0.9'], null, []])
  assert.equal(plan!.reasons[0]!.code, 'otherLoadBalancerClass')
})

const bgp = [
  pool(['10.0.0.0/24']),
  ours('BGPAdvertisement', 'bgp', {}),
  object('metallb.io/v1beta2', 'BGPPeer', 'tor', { spec: { myASN: 64512, peerASN: 64513, peerAddress: '10.9.0.1' } }),
  service('web', '1', '10.0.0.0'),
  slice('web', 'n2'),
]
const speakerOn = (nodeName: string) =>
  object(...(['v1', 'Pod', `speaker-${nodeName}`, { spec: { nodeName }, status: { phase: 'Running' } }] as const), {
    labels: { component: 'speaker' },
    namespace: 'metallb-system',
  })

test('--drain-cordoned: a cordon makes a node the last choice of routers, and a change says so', () => {
  const cordoned = object('v1', 'Node', 'n2', { spec: { unschedulable: true } })
  const now = planned([...bgp, ...nodes], { drainCordoned: true }).services
  const then = planned([...bgp, nodes[0]!, cordoned], { drainCordoned: true }).services
  assert.deepEqual(comparePlans(now, then), [
    {
      ...{ namespace: 'default', name: 'web', what: 'bgp', kind: 'moves' },
      before: ['10.0.0.0/32@n1', '10.0.0.0/32@n2'],
      after: ['10.0.0.0/32@n1', '10.0.0.0/32@n2 drained'],
    },
  ])
  const without = planned([...bgp, nodes[0]!, cordoned]).services
  assert.deepEqual(comparePlans(now, without), [], 'without the flag a cordon is nothing')
})

test('where the speakers are known no other node announces by BGP, as by layer 2', () => {
  const l2 = ours('L2Advertisement', 'l2', {})
  const { announcements } = planned([...bgp, l2, ...nodes, speakerOn('n1')]).services[0]!
  assert.deepEqual(
    announcements.map(({ protocol, node }) => `${protocol} ${node}`),
    ['layer2 n1', 'bgp n1'],
  )
})

test('what a plan takes for granted is said, as far as it matters', () => {
  const said = (objects: readonly KubeObject[]) => {
    const { cluster, services } = planned(objects)
    return planAssumptions(cluster, services)
  }
  const majority = 'layer 2: speakers see one another (--require-majority), none is held down (--hold-down)'
  assert.deepEqual(said([]), [])
  assert.deepEqual(said([...bgp, ...nodes, speakerOn('n1')]), ['BGP: the sessions with the peers are established'])
  assert.deepEqual(
    said([pool(['10.0.0.0/24']), ours('L2Advertisement', 'l2', { interfaces: ['eth0'] }), ...bgp.slice(3), ...nodes]),
    [
      'a speaker runs on every node',
      majority,
      'layer 2: the interfaces that advertisements select are there and can be used',
    ],
  )
})
