import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cluster } from './cluster.ts'
import type { Fields, KubeJson } from './object.ts'
import { create, patch } from './writes.ts'

const PORTS = [{ port: 80 }]

function cluster(serviceCidrs?: string[]): Cluster {
  const made = new Cluster({ serviceCidrs })
  made.store.put('/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } })
  return made
}

function make(on: Cluster, name: string, spec: Fields): KubeJson & { spec: Fields } {
  const resource = on.registry.get('', 'v1', 'services')!
  const body = { metadata: { name }, spec: { ports: structuredClone(PORTS), ...spec } }
  return create(on, resource, 'default', body).object as KubeJson & { spec: Fields }
}

function change(on: Cluster, name: string, spec: Fields, more: Fields = {}): KubeJson & { spec: Fields } {
  const resource = on.registry.get('', 'v1', 'services')!
  const ref = { name, namespace: 'default' }
  const type = 'application/merge-patch+json'
  return patch(on, resource, ref, type, { spec, ...more }, undefined).object as KubeJson & { spec: Fields }
}

const families: [name: string, cidrs: string[] | undefined, spec: Fields, families: string[], policy: string][] = [
  ['single-stack is the default', undefined, {}, ['IPv4'], 'SingleStack'],
  ['the first CIDR is the primary', ['fd00::/112', '10.96.0.0/16'], {}, ['IPv6'], 'SingleStack'],
  ['one family asked for', undefined, { ipFamilies: ['IPv6'] }, ['IPv6'], 'SingleStack'],
  ['two families asked for', undefined, { ipFamilies: ['IPv6', 'IPv4'] }, ['IPv6', 'IPv4'], 'RequireDualStack'],
  [
    'dual-stack preferred and possible',
    undefined,
    { ipFamilyPolicy: 'PreferDualStack' },
    ['IPv4', 'IPv6'],
    'PreferDualStack',
  ],
  [
    'dual-stack preferred and not possible',
    ['10.96.0.0/16'],
    { ipFamilyPolicy: 'PreferDualStack' },
    ['IPv4'],
    'PreferDualStack',
  ],
  [
    'dual-stack with the other one first',
    undefined,
    { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv6'] },
    ['IPv6', 'IPv4'],
    'RequireDualStack',
  ],
]
for (const [name, cidrs, spec, expected, policy] of families)
  test(name, () => {
    const made = make(cluster(cidrs), 'a', spec)
    assert.deepEqual(made.spec.ipFamilies, expected)
    assert.equal(made.spec.ipFamilyPolicy, policy)
    const ips = made.spec.clusterIPs as string[]
    assert.deepEqual(
      ips.map(ip => (ip.includes(':') ? 'IPv6' : 'IPv4')),
      expected,
    )
    assert.equal(made.spec.clusterIP, ips[0])
  })

const refusals: [name: string, spec: Fields, message: RegExp][] = [
  ['no ports', { ports: [] }, /spec.ports: Required value/],
  [
    'a port out of range',
    { ports: [{ port: 0 }] },
    /spec.ports\[0\].port: Invalid value: 0: must be between 1 and 65535/,
  ],
  [
    'two ports without names',
    { ports: [{ port: 1 }, { port: 2 }] },
    /spec.ports\[0\].name: Required value, spec.ports\[1\]/,
  ],
  [
    'a name twice',
    {
      ports: [
        { port: 1, name: 'a' },
        { port: 2, name: 'a' },
      ],
    },
    /spec.ports\[1\].name: Duplicate value: "a"/,
  ],
  [
    'a port twice',
    {
      ports: [
        { port: 1, name: 'a' },
        { port: 1, name: 'b' },
      ],
    },
    /spec.ports\[1\]: Duplicate value/,
  ],
  [
    'a wrong protocol',
    { ports: [{ port: 1, protocol: 'ICMP' }] },
    /Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"/,
  ],
  ['a wrong type', { type: 'Balancer' }, /spec.type: Unsupported value: "Balancer"/],
  [
    'a headless load balancer',
    { type: 'LoadBalancer', clusterIP: 'None' },
    /may not be set to 'None' for LoadBalancer/,
  ],
  ['a class without load balancer', { loadBalancerClass: 'a/b' }, /spec.loadBalancerClass: Forbidden/],
  [
    'a traffic policy without traffic from outside',
    { externalTrafficPolicy: 'Local' },
    /spec.externalTrafficPolicy: Forbidden/,
  ],
  ['a cluster IP outside the CIDR', { clusterIP: '192.0.2.1' }, /not in the valid range/],
  ['a node port out of range', { type: 'NodePort', ports: [{ port: 1, nodePort: 80 }] }, /valid ports is 30000-32767/],
  ['an external name that is missing', { type: 'ExternalName' }, /spec.externalName: Required value/],
]
for (const [name, spec, message] of refusals)
  test(`refused: ${name}`, () => assert.throws(() => make(cluster(), 'a', spec), { code: 422, message }))

test('dual-stack is refused where the cluster has one family', () => {
  const refusal = { code: 422, message: /not configured for dual-stack/ }
  assert.throws(() => make(cluster(['10.96.0.0/16']), 'a', { ipFamilyPolicy: 'RequireDualStack' }), refusal)
})

test('addresses and node ports are handed out once and come back after deletion', () => {
  const on = cluster(['10.96.0.0/28'])
  const ips = ['a', 'b', 'c'].map(name => make(on, name, { type: 'LoadBalancer' }).spec.clusterIP)
  assert.equal(new Set(ips).size, 3)
  assert.throws(() => make(on, 'd', { clusterIP: ips[0] }), { code: 422, message: /already allocated/ })
  on.store.remove('/services', 'default/a')
  assert.equal(make(on, 'd', { clusterIP: ips[0] }).spec.clusterIP, ips[0])
  for (let left = 3; left < 14; left++) make(on, `s${left}`, {})
  assert.throws(() => make(on, 'last', {}), { code: 422, message: /range is full/ })
})

test('an update keeps what was handed out, and drops what a new type does not have', () => {
  const on = cluster()
  const made = make(on, 'a', { type: 'LoadBalancer', externalTrafficPolicy: 'Local' })
  const health = made.spec.healthCheckNodePort
  assert.ok(Number(health) >= 30000)
  const [port] = made.spec.ports as Fields[]
  const relabelled = change(on, 'a', { clusterIP: null, clusterIPs: null, ports: PORTS, healthCheckNodePort: null })
  assert.equal(relabelled.spec.clusterIP, made.spec.clusterIP)
  assert.equal((relabelled.spec.ports as Fields[])[0]!.nodePort, port!.nodePort)
  assert.equal(relabelled.spec.healthCheckNodePort, health)
  const plain = change(on, 'a', { type: 'ClusterIP' }).spec
  for (const field of ['externalTrafficPolicy', 'healthCheckNodePort', 'allocateLoadBalancerNodePorts'])
    assert.equal(plain[field], undefined, field)
  assert.equal((plain.ports as Fields[])[0]!.nodePort, undefined)
})

test('a Service grows to two stacks and shrinks back', () => {
  const on = cluster()
  const first = make(on, 'a', {}).spec.clusterIP
  const grown = change(on, 'a', { ipFamilyPolicy: 'PreferDualStack' }).spec
  assert.equal((grown.clusterIPs as string[]).length, 2)
  assert.deepEqual(change(on, 'a', { ipFamilyPolicy: 'SingleStack' }).spec.clusterIPs, [first])
})

test('what may not change', () => {
  const on = cluster()
  make(on, 'a', { type: 'LoadBalancer', loadBalancerClass: 'x/y' })
  assert.throws(() => change(on, 'a', { loadBalancerClass: 'x/z' }), { code: 422, message: /may not change once set/ })
  assert.throws(() => change(on, 'a', { clusterIP: '10.96.0.99' }), { code: 422, message: /may not change once set/ })
})

test('no node ports where they are not wanted', () => {
  const made = make(cluster(), 'a', { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false })
  assert.equal((made.spec.ports as Fields[])[0]!.nodePort, undefined)
})

test('an ingress without ipMode becomes VIP; one of a Service that is no load balancer goes', () => {
  const on = cluster()
  make(on, 'a', { type: 'LoadBalancer' })
  const resource = on.registry.get('', 'v1', 'services')!
  const ref = { name: 'a', namespace: 'default' }
  const status = {
    loadBalancer: { ingress: [{ ip: '192.0.2.1' }, { ip: '192.0.2.2', ipMode: 'Proxy' }, { hostname: 'h' }] },
  }
  const written = patch(on, resource, ref, 'application/merge-patch+json', { status }, 'status').object
  assert.deepEqual(written.status, {
    loadBalancer: {
      ingress: [{ ip: '192.0.2.1', ipMode: 'VIP' }, { ip: '192.0.2.2', ipMode: 'Proxy' }, { hostname: 'h' }],
    },
  })
  assert.deepEqual(change(on, 'a', { type: 'ClusterIP' }).status, { loadBalancer: {} })
})
