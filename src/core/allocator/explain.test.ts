import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pin, poolOf } from '../../testing/service-world.ts'
import { formatAddress, parseAddress } from '../ip/index.ts'
import { formatReason } from '../reason.ts'
import type { Service } from '../service.ts'
import { Allocator, converge, explainAllocation, learn } from './index.ts'

function serviceOf(name: string, rest: Partial<Service> = {}): Service {
  return {
    key: `d/${name}`,
    namespace: 'd',
    name,
    uid: name,
    resourceVersion: '1',
    created: name,
    labels: {},
    annotations: {},
    type: 'LoadBalancer',
    clusterIPs: ['10.96.0.1'],
    ipFamilyPolicy: 'SingleStack',
    ports: [{ protocol: 'TCP', port: 80 }],
    localTrafficPolicy: false,
    selector: {},
    loadBalancerIP: '',
    ingress: [],
    ...rest,
  }
}

const shows = (ip: string) => ({ ingress: [{ text: ip, address: parseAddress(ip) }] })

function explained(allocator: Allocator, service: Service) {
  const { summary, reasons, addresses, next, ...rest } = explainAllocation(allocator, service)
  const texts = { addresses: addresses.map(formatAddress), next: next.map(formatAddress) }
  return { summary, reasons: reasons.map(formatReason), ...texts, ...rest }
}

const inNamespace = (name: string, message: string) => `IPAddressPool metallb-system/${name} ${message}`

function allocatorOf(...pools: Parameters<Allocator['setPools']>[0]): Allocator {
  const allocator = new Allocator()
  allocator.setPools(pools)
  return allocator
}

test('a pending Service: one reason for each pool, in the order they are tried', () => {
  const allocator = allocatorOf(
    poolOf('full', ['10.0.0.0/32']),
    poolOf('manual', ['10.1.0.0/24'], { autoAssign: false }),
    poolOf('six', ['fd00::/64']),
    poolOf('tenant', ['10.2.0.0/24'], pin({ ns: ['other'] })),
    poolOf('labelled', ['10.3.0.0/24'], pin({ ns: ['d'], app: ['x'], prio: 1 })),
  )
  learn(allocator, [serviceOf('A', shows('10.0.0.0'))])
  const pending = explained(allocator, serviceOf('B'))
  assert.equal(pending.summary, 'no available IPs')
  assert.deepEqual(pending.reasons, [
    inNamespace(
      'labelled',
      'spec.serviceAllocation.serviceSelectors: no service selector matches the labels of the service',
    ),
    inNamespace('tenant', 'spec.serviceAllocation: does not serve namespace "d"'),
    'IPAddressPool metallb-system/full: exhausted (1/1 ipv4 addresses in use)',
    inNamespace('manual', 'spec.autoAssign: not used for automatic assignment'),
    'IPAddressPool metallb-system/six: has no ipv4 addresses',
  ])
  assert.equal(converge(allocator, serviceOf('B')).events.at(-1)!.message.includes('does not serve namespace'), true)
})

test('a Service with an address: where it is from and with whom it shares', () => {
  const allocator = allocatorOf(poolOf('p', ['10.0.0.0/24']))
  const annotations = { 'metallb.io/allow-shared-ip': 'k' }
  const other = serviceOf('B', { ports: [{ protocol: 'TCP', port: 443 }], annotations, ...shows('10.0.0.7') })
  const service = serviceOf('A', { annotations, ...shows('10.0.0.7') })
  learn(allocator, [service, other])
  const answer = explained(allocator, service)
  assert.deepEqual([answer.addresses, answer.pool, answer.sharedWith], [['10.0.0.7'], 'p', ['d/B']])
  assert.equal(answer.summary, 'holds 10.0.0.7 from pool p, chosen automatically')
})

test('a Service that could be served: what is next, and nothing changes by asking', () => {
  const allocator = allocatorOf(poolOf('p', ['10.0.0.0/24']))
  const answer = explained(allocator, serviceOf('A'))
  assert.deepEqual(answer.next, ['10.0.0.0'])
  assert.equal(allocator.allocationOf('d/A'), undefined)
  assert.equal(allocator.usage('p')!.assigned.ipv4, 0n)
})

const clashes: [name: string, mine: Partial<Service>, theirs: Partial<Service>, cause: RegExp][] = [
  ['no key here', {}, { annotations: { 'metallb.io/allow-shared-ip': 'k' } }, /d\/N has no sharing key$/],
  [
    'the key among the labels',
    { labels: { 'metallb.io/allow-shared-ip': 'k' } },
    { annotations: { 'metallb.io/allow-shared-ip': 'k' } },
    /the key is among its labels, it must be an annotation/,
  ],
  ['no key there', { annotations: { 'metallb.io/allow-shared-ip': 'k' } }, {}, /Service d\/H .*has no sharing key$/],
  [
    'another key',
    { annotations: { 'metallb.io/allow-shared-ip': 'k' } },
    { annotations: { 'metallb.io/allow-shared-ip': 'l' } },
    /has sharing key "l", not "k"$/,
  ],
  [
    'another backend',
    { annotations: { 'metallb.io/allow-shared-ip': 'k' } },
    { annotations: { 'metallb.io/allow-shared-ip': 'k' }, localTrafficPolicy: true, selector: { app: 'x' } },
    /externalTrafficPolicy Local needs the same namespace and selector/,
  ],
]

for (const [name, mine, theirs, cause] of clashes)
  test(`an address in use names the precise cause: ${name}`, () => {
    const allocator = allocatorOf(poolOf('p', ['10.0.0.0/24']))
    learn(allocator, [serviceOf('H', { ...theirs, ...shows('10.0.0.1') })])
    const service = serviceOf('N', { ...mine, loadBalancerIP: '10.0.0.1', ports: [{ protocol: 'TCP', port: 443 }] })
    const { summary, reasons } = explained(allocator, service)
    assert.equal(summary, `can't change sharing key for "d/N", address also in use by d/H`)
    assert.match(reasons[0]!, cause)
  })

test('addresses of two pools, or of none', () => {
  const allocator = allocatorOf(poolOf('p4', ['10.0.0.0/24']), poolOf('p6', ['fd00::/112']))
  const dual = { clusterIPs: ['10.96.0.1', 'fd01::1'], ipFamilyPolicy: 'RequireDualStack' as const }
  const asks = (ips: string) => serviceOf('A', { ...dual, annotations: { 'metallb.io/loadBalancerIPs': ips } })
  assert.deepEqual(explained(allocator, asks('10.0.0.1,fd00::1')).reasons, [
    'IPAddressPool metallb-system/p4: has 10.0.0.1',
    'IPAddressPool metallb-system/p6: has fd00::1',
  ])
  assert.deepEqual(explained(allocator, asks('10.9.9.9,fd00::1')).reasons, [
    '10.9.9.9 is in no pool',
    'IPAddressPool metallb-system/p6: has fd00::1',
  ])
})

test('an outcome carries the reasons of every step that had a say', () => {
  const allocator = allocatorOf(poolOf('a', ['10.0.0.0/32'], pin({ ns: ['other'] })), poolOf('b', ['10.1.0.0/24']))
  const codes = (service: Service) => converge(allocator, service).reasons.map(({ code }) => code)
  assert.deepEqual(codes(serviceOf('A', shows('10.0.0.0'))), ['namespaceNotAdmitted'])
  assert.deepEqual(codes(serviceOf('B', { clusterIPs: ['fd01::1'] })), ['namespaceNotAdmitted', 'familyMissing'])
  assert.deepEqual(codes(serviceOf('C', { loadBalancerIP: '10.1.0.9', ...shows('10.1.0.8') })), [
    'differentIPRequested',
  ])
  assert.deepEqual(codes(serviceOf('D', { loadBalancerIP: 'x', ...shows('10.1.0.7') })), ['invalidRequest'])
  assert.deepEqual(codes(serviceOf('E', { clusterIPs: ['None'], ...shows('10.1.0.6') })), ['invalidFamilies'])
  assert.deepEqual(codes(serviceOf('F', { type: 'ClusterIP' })), ['notLoadBalancer'])
  const prefer = { clusterIPs: ['10.96.0.1', 'fd01::1'], ipFamilyPolicy: 'PreferDualStack' as const }
  assert.deepEqual(codes(serviceOf('G', prefer)), ['familyMissing'])
})
