import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EndpointSliceResource, ServiceResource } from '../../api/kubernetes/index.ts'
import { proxyRules } from './proxy-rules.ts'

const VIP = '192.168.10.200'

function service(name: string, spec: ServiceResource['spec'] = {}, ip = VIP, ipMode?: string): ServiceResource {
  return {
    metadata: { namespace: 'default', name },
    spec: { ports: [{ port: 80 }], ...spec },
    status: { loadBalancer: { ingress: [{ ip, ipMode }] } },
  }
}

function slice(name: string, endpoints: [address: string, node: string, ready?: boolean][]): EndpointSliceResource {
  return {
    metadata: { namespace: 'default', name: `${name}-x`, labels: { 'kubernetes.io/service-name': name } },
    ports: [{ port: 8080 }],
    endpoints: endpoints.map(([address, nodeName, ready]) => ({
      addresses: [address],
      nodeName,
      conditions: { ready },
    })),
  }
}

const both = [
  slice('web', [
    ['10.244.2.2', 'node2'],
    ['10.244.1.2', 'node1'],
  ]),
]

/** The rules for Service addresses, without comments. */
function rules(node: string, services: ServiceResource[], slices: EndpointSliceResource[]): string[] {
  const chain = /chain services \{\n([\s\S]*?)\n? {2}\}/.exec(proxyRules(node, services, slices))![1]!
  return chain
    .split('\n')
    .filter(Boolean)
    .map(line => line.trim().replace(/ comment ".*"$/, ''))
}

const any = 'dnat ip to numgen random mod 2 map { 0 : 10.244.1.2 . 8080, 1 : 10.244.2.2 . 8080 }'
const only = (address: string) => `dnat ip to numgen random mod 1 map { 0 : ${address} . 8080 }`

test('Cluster: every endpoint serves and the source is masqueraded', () => {
  assert.deepEqual(rules('node1', [service('web')], both), [`ip daddr ${VIP} tcp dport 80 meta mark set 0x4000 ${any}`])
})

test("Local: the node's own endpoint serves the LAN with its source kept, pods and the node get any", () => {
  const local = service('web', { externalTrafficPolicy: 'Local' })
  assert.deepEqual(rules('node1', [local], both), [
    `ip daddr ${VIP} tcp dport 80 ip saddr 10.244.0.0/16 ${any}`,
    `ip daddr ${VIP} tcp dport 80 fib saddr type local ${any}`,
    `ip daddr ${VIP} tcp dport 80 ${only('10.244.1.2')}`,
  ])
  assert.equal(rules('node3', [local], both).at(-1), `ip daddr ${VIP} tcp dport 80 drop`)
})

test('a cluster IP leads to every endpoint', () => {
  const [first] = rules('node1', [service('web', { clusterIPs: ['10.96.0.9'] })], both)
  assert.equal(first, `ip daddr 10.96.0.9 tcp dport 80 ${any}`)
})

test('endpoints that are not ready do not serve; those that do not say so do', () => {
  const slices = [
    slice('web', [
      ['10.244.1.2', 'node1', false],
      ['10.244.2.2', 'node2'],
    ]),
  ]
  assert.match(rules('node1', [service('web')], slices)[0]!, /mod 1 map \{ 0 : 10\.244\.2\.2 \. 8080 \}$/)
})

test('without endpoints, or with those of another Service, packets are dropped', () => {
  for (const slices of [[], [slice('other', [['10.244.1.2', 'node1']])]])
    assert.match(rules('node1', [service('web')], slices)[0]!, / drop$/)
})

test('ports are matched by name, protocols are kept', () => {
  const ports = [
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'web', port: 80 },
  ]
  const named = { ...slice('web', [['10.244.1.2', 'node1']]), ports: [{ name: 'dns', port: 5353, protocol: 'UDP' }] }
  assert.deepEqual(rules('node1', [service('web', { ports })], [named]), [
    `ip daddr ${VIP} udp dport 53 meta mark set 0x4000 dnat ip to numgen random mod 1 map { 0 : 10.244.1.2 . 5353 }`,
    `ip daddr ${VIP} tcp dport 80 meta mark set 0x4000 drop`,
  ])
})

test('the IPv4 rules leave ipMode Proxy and IPv6 addresses alone', () => {
  assert.deepEqual(rules('node1', [service('web', {}, VIP, 'Proxy'), service('six', {}, 'fd00::1')], both), [])
})

test('the order of the input changes nothing', () => {
  const services = [service('b', {}, '192.168.10.201'), service('a')]
  const slices = [slice('b', [['10.244.3.2', 'node3']]), slice('a', [['10.244.1.2', 'node1']])]
  const text = proxyRules('node1', services, slices)
  assert.equal(proxyRules('node1', services.toReversed(), slices.toReversed()), text)
})

test('a dual-stack Service sends each family to endpoints of that family', () => {
  const dual = service(
    'web',
    { clusterIPs: ['10.96.0.9', 'fd00:10:96::9'], externalTrafficPolicy: 'Local' },
    'fd00::200',
  )
  const text = proxyRules('node1', [dual], [...both, slice('web', [['fd00:10:244:1::2', 'node1']])])
  const [ipv4 = '', ipv6 = ''] = text.split('add table ip6 kube-proxy')
  const own = 'dnat ip6 to numgen random mod 1 map { 0 : fd00:10:244:1::2 . 8080 } comment "default/web"'
  assert.ok(ipv6.includes(`ip6 daddr fd00:10:96::9 tcp dport 80 ${own}`), ipv6)
  assert.ok(ipv6.includes(`ip6 daddr fd00::200 tcp dport 80 ip6 saddr fd00:10:244::/48 ${own}`), ipv6)
  assert.ok(ipv4.includes(`ip daddr 10.96.0.9 tcp dport 80 ${any}`), ipv4)
  assert.doesNotMatch(ipv4, /fd00/)
})
