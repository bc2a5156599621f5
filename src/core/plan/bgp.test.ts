import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aBgpAdvertisement, aBgpPeer } from '../../testing/bgp-peer.ts'
import { aNode, anEndpoint, aPool, aService, aWorld, type Scenario } from '../../testing/layer2-world.ts'
import { type BgpAdvertisement, type Community, formatCommunity, type Peer, parseCommunity } from '../config/index.ts'
import { formatPrefix } from '../ip/index.ts'
import { type Admitted, admit, type BgpDecision, decideBgp, routeKey } from './index.ts'

const POOL = aPool({ name: 'p4', entries: ['203.0.113.0/24'] })
const exclude = { 'node.kubernetes.io/exclude-from-external-load-balancers': '' }

interface Example extends Scenario {
  bgp?: BgpAdvertisement[]
  peers?: Peer[]
  node?: string
}

function decide({ bgp = [aBgpAdvertisement()], peers = [], node = 'node-a', ...scenario }: Example): BgpDecision {
  const world = aWorld({ pools: [POOL], service: aService({ ips: ['203.0.113.7'] }), ...scenario })
  const config = { ...world.config, bgp: { peers, advertisements: bgp, bfdProfiles: [], extras: '' } }
  const admission = admit(world.service, config)
  assert.ok('pool' in admission)
  return decideBgp(admission as Admitted, node, { ...world, config })
}

const local = aService({ ips: ['203.0.113.7'], localTrafficPolicy: true })
const labelled = (labels: Record<string, string>) => aService({ ips: ['203.0.113.7'], labels })
const select = (labels: Record<string, string>) => [{ matchLabels: labels }]
const withNode = (change: Parameters<typeof aNode>[1]) => [aNode('node-a', change)]
const [A, B] = [
  aBgpAdvertisement({ localPref: 100, serviceSelectors: select({ t: 'x' }) }),
  aBgpAdvertisement({ name: 'B', localPref: 200, serviceSelectors: select({ u: 'y' }) }),
]

// Chapter 04 section 8.1, by number: prefixes where it announces, else the codes of all reasons.
const EXAMPLES: [name: string, example: Example, outcome: string][] = [
  ['1 an endpoint elsewhere', { endpoints: [anEndpoint('node-b')] }, '203.0.113.7/32'],
  ['2 Local without a local endpoint', { service: local, endpoints: [anEndpoint('node-b')] }, 'noLocalEndpoints'],
  [
    '2 Local on the node of the endpoint',
    { service: local, node: 'node-b', endpoints: [anEndpoint('node-b')] },
    '203.0.113.7/32',
  ],
  [
    '3 a local endpoint that does not serve',
    { service: local, endpoints: [anEndpoint('node-a', false)] },
    'noLocalEndpoints noEndpoints',
  ],
  ['4 no endpoint can serve', { endpoints: [anEndpoint('node-b', false)] }, 'noEndpoints'],
  [
    '5 an endpoint without a node is never local',
    { service: local, endpoints: [anEndpoint(undefined)] },
    'noLocalEndpoints',
  ],
  ['7 network unavailable', { nodes: withNode({ networkUnavailable: true }) }, 'nodeNetworkUnavailable'],
  ['8 excluded', { nodes: withNode({ labels: exclude }) }, 'nodeLabeledExcludeBalancers'],
  ['8 excluded, and that ignored', { nodes: withNode({ labels: exclude }), ignoreExcludeLb: true }, '203.0.113.7/32'],
  ['9 cordoned', { nodes: withNode({ unschedulable: true, ready: false }) }, '203.0.113.7/32'],
  ['10 an advertisement for another node', { bgp: [aBgpAdvertisement({ nodes: new Set(['node-b']) })] }, 'notOwner'],
  [
    '11 an advertisement for other services',
    { bgp: [aBgpAdvertisement({ serviceSelectors: select({ env: 'prod' }) })], service: labelled({ env: 'dev' }) },
    'noMatchingAdvertisement',
  ],
  [
    '11 relabelled',
    { bgp: [aBgpAdvertisement({ serviceSelectors: select({ env: 'prod' }) })], service: labelled({ env: 'prod' }) },
    '203.0.113.7/32',
  ],
  ['14 both', { bgp: [A, B], service: labelled({ t: 'x', u: 'y' }) }, 'conflictingAdvertisements'],
  ['14 one', { bgp: [A, B], service: labelled({ t: 'x' }) }, '203.0.113.7/32'],
  ['15 aggregation', { bgp: [aBgpAdvertisement({ aggregationLength: { ipv4: 24, ipv6: 128 } })] }, '203.0.113.0/24'],
  ['23 no advertisement', { bgp: [aBgpAdvertisement({ pools: new Set(['other']) })] }, 'notOwner'],
  [
    'every reason, in order',
    { bgp: [], nodes: withNode({ networkUnavailable: true, labels: exclude }), service: local, endpoints: [] },
    'notOwner nodeNetworkUnavailable nodeLabeledExcludeBalancers noLocalEndpoints noEndpoints',
  ],
] // prettier-ignore
for (const [name, example, outcome] of EXAMPLES)
  test(name, () => {
    const { announces, routes, reasons, code } = decide(example)
    const codes = reasons().map(reason => reason.code)
    assert.equal(code, codes[0])
    assert.equal((announces ? routes.map(({ prefix }) => formatPrefix(prefix)) : codes).join(' '), outcome)
  })

test('14 the conflict in words', () => {
  const { reasons } = decide({ bgp: [A, B], service: labelled({ t: 'x', u: 'y' }) })
  assert.equal(reasons()[0].message, "advertisements 'A' and 'B' have conflicting LOCAL_PREF (100 vs 200)")
})

test('12 preferences for different peers do not conflict', () => {
  const bgp = [
    aBgpAdvertisement({ localPref: 100, peers: new Set(['tor-a']) }),
    aBgpAdvertisement({ name: 'B', localPref: 200, peers: new Set(['tor-b']) }),
  ]
  assert.deepEqual(
    decide({ bgp }).routes.map(({ peers, localPref }) => [[...peers], localPref]),
    [
      [['tor-a'], 100],
      [['tor-b'], 200],
    ],
  )
})

test('16 dual stack: one prefix for each address', () => {
  const pools = [aPool({ name: 'p4', entries: ['203.0.113.0/24', '2001:db8:beef::/48'] })]
  const service = aService({ ips: ['203.0.113.7', '2001:db8:beef::7'] })
  const { routes } = decide({ pools, service, bgp: [aBgpAdvertisement({ aggregationLength: { ipv4: 32, ipv6: 64 } })] })
  assert.deepEqual(
    routes.map(({ prefix }) => formatPrefix(prefix)),
    ['203.0.113.7/32', '2001:db8:beef::/64'],
  )
})

test('17 peers that nobody configured, and an aggregate that leaves the pool, are told', () => {
  const pools = [aPool({ name: 'p4', entries: ['203.0.113.240-203.0.113.250'] })]
  const bgp = [aBgpAdvertisement({ peers: new Set(['tor-x']), aggregationLength: { ipv4: 29, ipv6: 128 } })]
  const { announces, warnings } = decide({ pools, bgp, service: aService({ ips: ['203.0.113.250'] }) })
  assert.ok(announces)
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['aggregateLeavesPool', 'noMatchingPeer'],
  )
  assert.match(warnings[0]!.message, /203\.0\.113\.248\/29 .* outside pool p4/)
})

test('a route is the same exactly where it says the same', () => {
  const community = (text: string) => (parseCommunity(text) as { community: never }).community
  const keys = [
    aBgpAdvertisement(),
    aBgpAdvertisement({ localPref: 0 }),
    aBgpAdvertisement({ prepend: 1 }),
    aBgpAdvertisement({ med: 1 }),
    aBgpAdvertisement({ communities: [community('1:2')] }),
    aBgpAdvertisement({ communities: [community('large:1:2:3')] }),
    aBgpAdvertisement({ peers: new Set(['a']) }),
    aBgpAdvertisement({ bandwidthPerEndpoint: 1000 }),
  ].map(ad => routeKey(decide({ bgp: [ad] }).routes[0]!))
  assert.equal(new Set(keys).size, keys.length)
  assert.equal(formatCommunity(community('1:2')), '1:2')
})

const bandwidths = (example: Example) => decide(example).routes.map(({ linkBandwidth }) => linkBandwidth)
const three = [anEndpoint('node-a'), anEndpoint('node-a'), anEndpoint('node-b'), anEndpoint('node-a', false)]
const weighed = [aBgpAdvertisement({ bandwidthPerEndpoint: 1000 })]

test('link bandwidth is in proportion to the endpoints behind the node: its own with policy Local, else all', () => {
  assert.deepEqual(bandwidths({ bgp: weighed, service: local, endpoints: three }), [2000])
  assert.deepEqual(bandwidths({ bgp: weighed, service: local, node: 'node-b', endpoints: three }), [1000])
  assert.deepEqual(bandwidths({ bgp: weighed, endpoints: three }), [3000])
  assert.deepEqual(bandwidths({ endpoints: three }), [undefined])
})

test('the endpoints of a dual-stack Service count once', () => {
  const six = { ...anEndpoint('node-a'), addresses: ['2001:db8::1'] }
  assert.deepEqual(bandwidths({ bgp: weighed, service: local, endpoints: [anEndpoint('node-a'), six] }), [1000])
})

const copies = (example: Example) => decide(example).routes.map(({ paths }) => paths)
const several = [aBgpPeer(), aBgpPeer({ name: 'tor-b', maxPaths: 8 })]

test('copies of a path are as many as the endpoints of the node, with policy Local and where a peer takes them', () => {
  assert.deepEqual(copies({ peers: several, service: local, endpoints: three }), [2])
  assert.deepEqual(copies({ peers: several, service: local, node: 'node-b', endpoints: three }), [undefined])
  assert.deepEqual(copies({ peers: several, endpoints: three }), [undefined], 'every node reaches all')
  assert.deepEqual(copies({ peers: [aBgpPeer()], service: local, endpoints: three }), [undefined])
  const pair = [anEndpoint('node-a'), anEndpoint('node-a')]
  const six = pair.map(one => ({ ...one, addresses: ['2001:db8::1'] }))
  assert.deepEqual(copies({ peers: several, service: local, endpoints: [...pair, ...six] }), [2])
  const [route] = decide({ peers: several, service: local, endpoints: three }).routes
  assert.notEqual(routeKey(route!), routeKey({ ...route!, paths: 3 }))
})

const drainOf = (example: Example) => {
  const { announces, routes, reasons } = decide({
    bgp: [aBgpAdvertisement({ localPref: 200, communities: [seven] })],
    ...example,
  })
  assert.ok(announces)
  return { routes: routes.map(one => `${one.localPref} ${one.communities.map(formatCommunity)}`), reasons: reasons() }
}
const seven = (parseCommunity('64500:7') as { community: Community }).community
const DRAINED = '0 64500:7,65535:0'
const PREFERRED = '200 64500:7'

for (const [name, example, wanted] of [
  ['a labelled node', { nodes: withNode({ labels: { 'metallb.io/drain': '' } }) }, DRAINED],
  ['a label that says false', { nodes: withNode({ labels: { 'metallb.io/drain': 'false' } }) }, PREFERRED],
  ['a cordoned node', { nodes: withNode({ unschedulable: true }) }, PREFERRED],
  ['a cordoned node, where that drains', { nodes: withNode({ unschedulable: true }), drainCordoned: true }, DRAINED],
  ['another node', { nodes: [aNode('node-b', { labels: { 'metallb.io/drain': '' } })] }, PREFERRED],
] satisfies [string, Example, string][])
  test(`GRACEFUL_SHUTDOWN (RFC 8326): ${name}`, () => {
    const { routes, reasons } = drainOf(example)
    assert.deepEqual(routes, [wanted])
    assert.deepEqual(
      reasons.map(({ code }) => code),
      wanted === DRAINED ? ['owner', 'nodeDrained'] : ['owner'],
    )
  })
