import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  aNode,
  anAdvertisement,
  anEndpoint,
  aService,
  aWorld,
  NODES,
  type Scenario,
} from '../../testing/layer2-world.ts'
import type { Service } from '../service.ts'
import { explainLayer2, type World } from './index.ts'

const exclude = { 'node.kubernetes.io/exclude-from-external-load-balancers': 'false' }
const nodesWith = (name: string, change: Parameters<typeof aNode>[1]) =>
  NODES.map(node => aNode(node, node === name ? change : {}))
const prefer = (scores: Record<string, number>) => new Map(Object.entries(scores))
const frontend = [{ matchLabels: { tier: 'frontend' } }]

/** `node: announces` or `node: reason, finer reasons`. */
function verdicts(world: World, service: Service): Record<string, string> {
  const { nodes } = explainLayer2(service, world)
  return Object.fromEntries(
    nodes.map(({ node, announces, reasons }) => [node, announces ? 'announces' : reasons.map(r => r.code).join(' ')]),
  )
}

function owners(scenario: Scenario, service?: Service): string[] {
  const world = aWorld(scenario)
  return Object.entries(verdicts(world, service ?? world.service)).flatMap(([node, verdict]) =>
    verdict === 'announces' ? [node] : [],
  )
}

// Chapter 03 section 7, by number: the scenario, who announces, and what a node that does not says.
const EXAMPLES: [name: string, scenario: Scenario, owner: string | undefined, says?: Record<string, string>][] = [
  ['1 all alive', {}, 'node-a', { 'node-b': 'notOwner electionLost', 'node-c': 'notOwner electionLost' }],
  ['2 node-a leaves', { members: ['node-b', 'node-c'] }, 'node-c', { 'node-a': 'notOwner memberMissing' }],
  ['3 node-b leaves', { members: ['node-a', 'node-c'] }, 'node-a'],
  ['4 another address', { service: aService({ ips: ['192.168.1.241'] }) }, 'node-c'],
  ['6 dual stack', { service: aService({ ips: ['192.168.1.240', '2001:db8::f'] }) }, 'node-a'],
  ['6 dual stack, IPv6 first', { service: aService({ ips: ['2001:db8::f', '192.168.1.240'] }) }, 'node-c'],
  [
    '7 canonical text',
    { service: aService({ ips: ['10.0.0.5'] }), members: ['node-a', 'node-b', 'worker-2'] },
    'node-a',
  ],
  ['8 preference', { ads: [anAdvertisement({ preferredNodes: prefer({ 'node-b': 100 }) })] }, 'node-b'],
  [
    '8 preferred node leaves',
    { ads: [anAdvertisement({ preferredNodes: prefer({ 'node-b': 100 }) })], members: ['node-a', 'node-c'] },
    'node-a',
  ],
  [
    '9 preferences add up over advertisements',
    {
      ads: [
        anAdvertisement({ name: 'x', preferredNodes: prefer({ 'node-b': 60, 'node-c': 20 }) }),
        anAdvertisement({ name: 'y', preferredNodes: prefer({ 'node-c': 50 }) }),
      ],
    },
    'node-c',
  ],
  [
    '10 a preference for a node that another advertisement alone selects', // chapter 01 example 94: parsed to none
    { ads: [anAdvertisement({ name: 'x', nodes: new Set(['node-a', 'node-c']) }), anAdvertisement({ name: 'y' })] },
    'node-a',
  ],
  [
    '11 identical advertisements add up',
    {
      ads: [
        anAdvertisement({ preferredNodes: prefer({ 'node-c': 30 }) }),
        anAdvertisement({ preferredNodes: prefer({ 'node-c': 30 }) }),
        anAdvertisement({ name: 'b', preferredNodes: prefer({ 'node-b': 50 }) }),
      ],
    },
    'node-c',
  ],
  [
    '12 Local',
    { service: aService({ localTrafficPolicy: true }), endpoints: [anEndpoint('node-b'), anEndpoint('node-c')] },
    'node-c',
    { 'node-a': 'notOwner noLocalEndpoints' },
  ],
  [
    '13 Local without node name',
    { service: aService({ localTrafficPolicy: true }), endpoints: [anEndpoint(undefined)] },
    undefined,
    { 'node-a': 'notOwner noLocalEndpoints' },
  ],
  [
    '15 no endpoint can serve',
    { endpoints: [anEndpoint('node-a', false)] },
    undefined,
    { 'node-a': 'notOwner noEndpoints' },
  ],
  ['16 no endpoint at all', { endpoints: [] }, undefined, { 'node-a': 'notOwner noEndpoints' }],
  ['16 an endpoint anywhere', { endpoints: [anEndpoint('node-c')] }, 'node-a'],
  [
    '17 network unavailable',
    { nodes: nodesWith('node-a', { networkUnavailable: true }) },
    'node-c',
    { 'node-a': 'notOwner nodeNetworkUnavailable' },
  ],
  [
    '19 excluded by label',
    { nodes: nodesWith('node-a', { labels: exclude }) },
    'node-c',
    { 'node-a': 'notOwner nodeLabeledExcludeBalancers' },
  ],
  ['19 label ignored', { nodes: nodesWith('node-a', { labels: exclude }), ignoreExcludeLb: true }, 'node-a'],
  [
    '20 node selectors',
    { ads: [anAdvertisement({ nodes: new Set(['node-b']) })] },
    'node-b',
    { 'node-a': 'noMatchingAdvertisement', 'node-c': 'noMatchingAdvertisement' },
  ],
  ['28 membership off', { members: undefined }, 'node-a'],
  ['28 membership off, Node deleted', { members: undefined, nodes: [aNode('node-b'), aNode('node-c')] }, 'node-c'],
  ['29 a member without a Node object counts', { nodes: [aNode('node-b')] }, 'node-a'],
  ['29 a member in no advertisement does not', { members: [...NODES, 'stray'] }, 'node-a'],
  ['no advertisement', { ads: [] }, undefined, { 'node-a': 'noMatchingAdvertisement' }],
  [
    'an advertisement of another pool',
    { ads: [anAdvertisement({ pools: new Set(['other']) })] },
    undefined,
    { 'node-a': 'noMatchingAdvertisement' },
  ],
  [
    'every reason against a node, in order',
    {
      members: ['node-b'],
      nodes: nodesWith('node-a', { labels: exclude, networkUnavailable: true }),
      ads: [anAdvertisement({ nodes: new Set(['node-b']) })],
      service: aService({ localTrafficPolicy: true }),
      endpoints: [],
    },
    undefined,
    {
      'node-a':
        'notOwner noEndpoints noMatchingAdvertisement memberMissing nodeNetworkUnavailable ' +
        'nodeLabeledExcludeBalancers noLocalEndpoints',
    },
  ],
]

for (const [name, scenario, owner, says = {}] of EXAMPLES) {
  test(name, () => {
    const world = aWorld(scenario)
    const expected = owner === undefined ? says : { ...says, [owner]: 'announces' }
    const actual = verdicts(world, world.service)
    for (const [node, verdict] of Object.entries(expected)) assert.equal(actual[node], verdict, node)
    assert.deepEqual(owners(scenario), owner === undefined ? [] : [owner])
  })
}

test('21 advertisements with service selectors count only for the Services they select', () => {
  const ads = [
    anAdvertisement({ name: 'x', serviceSelectors: frontend, nodes: new Set(['node-b']) }),
    anAdvertisement({ name: 'y', nodes: new Set(['node-c']) }),
  ]
  assert.deepEqual(owners({ ads, service: aService({ labels: { tier: 'frontend' } }) }), ['node-c'])
  assert.deepEqual(
    owners({ ads, members: ['node-a', 'node-b'], service: aService({ labels: { tier: 'frontend' } }) }),
    ['node-b'],
  )
  assert.deepEqual(owners({ ads, members: ['node-a', 'node-b'] }), [])
})

test('22 a sharing Service and an advertisement with service selectors do not go together', () => {
  const ads = [anAdvertisement({ serviceSelectors: frontend }), anAdvertisement({ name: 'other' })]
  for (const key of ['metallb.io/allow-shared-ip', 'metallb.universe.tf/allow-shared-ip']) {
    const annotations = { [key]: '' }
    const world = aWorld({ ads, service: aService({ annotations, labels: { tier: 'frontend' } }) })
    assert.equal(verdicts(world, world.service)['node-a'], 'sharedIPWithServiceSelector')
    assert.deepEqual(owners({ ads, service: aService({ annotations }) }), ['node-a'])
  }
})

const CLASSES: [loadBalancerClass: string | undefined, lbClass: string, handled: boolean][] = [
  [undefined, '', true],
  [undefined, 'foo', false],
  ['foo', 'foo', true],
  ['', '', true],
  ['foo', '', false],
  ['bar', 'foo', false],
]
for (const [loadBalancerClass, lbClass, handled] of CLASSES) {
  test(`23 class ${loadBalancerClass} with --lb-class=${lbClass}`, () => {
    assert.equal(owners({ service: aService({ loadBalancerClass }), lbClass }).length, handled ? 1 : 0)
  })
}

const REFUSED: [name: string, service: Service, code: string][] = [
  ['24 another type', aService({ type: 'ClusterIP' }), 'notLoadBalancer'],
  ['25 no ingress', aService({ ips: [] }), 'noIPAllocated'],
  ['25 hostname only', aService({ ips: [''] }), 'invalidIP'],
  ['25 outside every pool', aService({ ips: ['192.0.2.1'] }), 'ipNotAllowed'],
  ['25 one of two outside', aService({ ips: ['192.168.1.240', '2001:db9::1'] }), 'ipNotAllowed'],
]
for (const [name, service, code] of REFUSED) {
  test(`${name}: ${code}`, () => {
    const { refused, nodes } = explainLayer2(service, aWorld({ service }))
    assert.deepEqual(
      refused.map(reason => reason.code),
      [code],
    )
    assert.ok(nodes.length >= 3 && nodes.every(node => !node.announces && node.reasons[0]?.code === code))
  })
}

test('interfaces: the union of the advertisements that select the node, all beats names', () => {
  const x = anAdvertisement({ name: 'x', interfaces: new Set(['eno1']) })
  const y = anAdvertisement({ name: 'y', nodes: new Set(['node-a']), interfaces: new Set(['ens18']) })
  const of = (scenario: Scenario) => {
    const world = aWorld(scenario)
    return explainLayer2(world.service, world).nodes.find(({ announces }) => announces)?.interfaces
  }
  assert.deepEqual(of({ ads: [x, y] }), ['eno1', 'ens18'])
  assert.deepEqual(of({ ads: [x, y], members: ['node-b'] }), ['eno1'])
  assert.equal(of({ ads: [x, y, anAdvertisement()] }), 'all')
})

// IMP-25: node-a owns 192.168.1.240 by hash, node-c comes next (examples 1 and 2).
const onEth1 = [anAdvertisement({ interfaces: new Set(['eth1', 'eth2']) })]
const all = ['eth1']
const INTERFACES: [name: string, Scenario, owner: string, refused?: Record<string, string>][] = [
  ['all have one', { interfaces: { 'node-a': all, 'node-b': all, 'node-c': all } }, 'node-a'],
  ['any of the selected is enough', { interfaces: { 'node-a': ['eth2'], 'node-b': all, 'node-c': all } }, 'node-a'],
  [
    'a node without is no candidate',
    { interfaces: { 'node-a': ['eth0'], 'node-b': all, 'node-c': all } },
    '!node-a',
    { 'node-a': 'notOwner noUsableInterface' },
  ],
  ['somebody publishes nothing: as the reference', { interfaces: { 'node-a': [], 'node-b': all } }, 'node-a'],
  ['nobody has one: as the reference', { interfaces: { 'node-a': [], 'node-b': [], 'node-c': [] } }, 'node-a'],
  [
    'another advertisement selects every interface',
    { ads: [...onEth1, anAdvertisement()], interfaces: { 'node-a': [], 'node-b': all, 'node-c': all } },
    'node-a',
  ],
  [
    'another advertisement selects every interface of other nodes',
    {
      ads: [...onEth1, anAdvertisement({ nodes: new Set(['node-b']) })],
      interfaces: { 'node-a': [], 'node-b': [], 'node-c': [] },
    },
    'node-b',
  ],
  [
    'who is no candidate need not publish',
    { members: ['node-a', 'node-b'], interfaces: { 'node-a': [], 'node-b': all } },
    'node-b',
  ],
]
for (const [name, scenario, owner, refused = {}] of INTERFACES)
  test(`IMP-25: ${name}`, () => {
    const given = { ads: onEth1, ...scenario }
    const [winner = '', ...others] = owners(given)
    assert.deepEqual(others, [])
    if (owner.startsWith('!')) assert.notEqual(winner, owner.slice(1))
    else assert.equal(winner, owner)
    const world = aWorld(given)
    const said = verdicts(world, world.service)
    for (const [node, verdict] of Object.entries(refused)) assert.equal(said[node], verdict)
  })

// IMP-5: 30 addresses that the election gives to three nodes as it happens, ten to each by balanced placement.
const many = Array.from({ length: 30 }, (_, index) => aService({ name: `s${index}`, ips: [`10.0.0.${index}`] }))

function loadsOf(scenario: Scenario): Record<string, number> {
  const loads: Record<string, number> = {}
  for (const service of many) {
    const [owner = 'nobody', ...others] = owners({ service: many[0]!, others: many.slice(1), ...scenario }, service)
    assert.deepEqual(others, [], 'one owner')
    loads[owner] = (loads[owner] ?? 0) + 1
  }
  return loads
}

test('IMP-5: balanced placement gives no node more than its share plus one', () => {
  const loads = loadsOf({ balanced: true })
  assert.equal(
    Object.values(loads).reduce((a, b) => a + b),
    30,
  )
  for (const node of NODES) assert.ok(loads[node]! <= 11, JSON.stringify(loads))
  assert.ok(Math.max(...Object.values(loadsOf({}))) > 11, 'the election does not')
})

test('IMP-5: preferences come before balance', () => {
  const ads = [anAdvertisement({ preferredNodes: prefer({ 'node-b': 1, 'node-c': 1 }) })]
  const loads = loadsOf({ balanced: true, ads })
  assert.deepEqual([loads['node-a'], loads['node-b']! + loads['node-c']!], [undefined, 30])
  assert.ok(Math.abs(loads['node-b']! - loads['node-c']!) <= 2)
})

test('IMP-5: Services that share an address count once, and stay together', () => {
  const sharers = ['x', 'y', 'z'].map(name => aService({ name, ips: ['10.0.0.99'] }))
  const scenario = { balanced: true, service: sharers[0]!, others: [...sharers.slice(1), ...many] }
  const of = sharers.map(service => owners(scenario, service))
  assert.deepEqual(new Set(of.flat()).size, 1)
})

test('IMP-5: who did not get an address says why', () => {
  const world = aWorld({ balanced: true })
  const { nodes, order } = explainLayer2(world.service, world)
  const said = nodes.map(({ announces, reasons }) => [announces, reasons.at(-1)!.message])
  const [, owner] = said.find(([announces]) => announces)!
  assert.equal(owner, 'has 192.168.1.240 by balanced placement on 3 candidates')
  const losers = nodes.filter(({ node, announces }) => !announces && order.includes(node))
  assert.equal(losers.length, 2)
  for (const { node, reasons } of losers)
    assert.equal(
      reasons.at(-1)!.message,
      `node ${order[0]} has 192.168.1.240: it comes first of those with room, ${node} holds 0 of at most 1 addresses`,
    )
})

test('IMP-5: a node that holds its share, and one that is preferred less, say so', () => {
  const ads = [anAdvertisement({ preferredNodes: prefer({ 'node-a': 5, 'node-b': 5 }) })]
  const three = many.slice(0, 3) // two for one of the nodes, one for the other
  const said = three.flatMap(service => {
    const world = aWorld({ balanced: true, ads, service, others: three.filter(other => other !== service) })
    return explainLayer2(service, world).nodes.map(({ reasons }) => reasons.at(-1)!.message)
  })
  const saying = (what: RegExp) => said.filter(message => what.test(message)).length
  assert.equal(saying(/: node-c is preferred less$/), 3)
  assert.equal(saying(/: node-[ab] holds its share, 2 addresses$/), 1)
  assert.equal(saying(/: it comes first of those with room, node-[ab] holds 1 of at most 2 addresses$/), 2)
})

// IMP-4: node-a owns 192.168.1.240 by hash.
test('IMP-4: a held node is no candidate while another can have the address', () => {
  const world = aWorld({ held: ['node-a'] })
  assert.notEqual(owners({ held: ['node-a'] })[0], 'node-a')
  assert.equal(verdicts(world, world.service)['node-a'], 'notOwner heldDown')
  assert.deepEqual(owners({ held: ['node-a'], members: ['node-a'] }), ['node-a'], 'alone')
  assert.deepEqual(owners({ held: NODES }), ['node-a'], 'all are held')
})
