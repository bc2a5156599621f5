// Chapter 01 sections 6.D and 6.E.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Config, formatCommunity } from '../../core/config/index.ts'
import { testExamples } from '../../testing/acceptance.ts'
import { parseConfig } from './index.ts'

const pool = (name: string, addresses: string, labels = '') =>
  `{kind: IPAddressPool, metadata: {name: ${name}, labels: {${labels}}}, spec: {addresses: [${addresses}]}}\n---\n`
const WEB = pool('web', '172.20.8.0/24')
const NODES = `{kind: Node, metadata: {name: n1, labels: {rack: r1}}}
---
{kind: Node, metadata: {name: n2, labels: {rack: r2}}}
---
`
const adv = (name: string, spec: string) =>
  `{kind: BGPAdvertisement, metadata: {name: ${name}}, spec: {${spec}}}\n---\n`
const aliases = (name: string, ...pairs: [string, string][]) => {
  const list = pairs.map(([alias, value]) => `{name: ${alias}, value: "${value}"}`)
  return `{kind: Community, metadata: {name: ${name}}, spec: {communities: [${list}]}}\n---\n`
}
const communities = (config: Config) => config.bgp!.advertisements[0]!.communities.map(formatCommunity)
const conflict = (given: number, before: number) =>
  `spec.localPref invalid local preference ${given}: local preference ${before} was already set for the same type of BGP update. Check existing BGP advertisements with common pools and aggregation lengths`
const both = (config: Config) => assert.equal(config.bgp!.advertisements.length, 2)
const RACK = (rack: string) => `nodeSelectors: [{matchLabels: {rack: ${rack}}}]`

const withOptions = (annotations: string) =>
  `${WEB}{kind: BGPAdvertisement, metadata: {name: a, annotations: {${annotations}}}, spec: {}}\n---\n`
const tooMany = 'metadata.annotations[metallb.io/as-path-prepend] invalid number "11", must be from 0 to 10'

testExamples([
  {
    name: 'AS path prepend and MED',
    yaml: withOptions("metallb.io/as-path-prepend: '3', metallb.io/med: '50'"),
    accepted: config => {
      const [{ prepend, med } = {}] = config.bgp!.advertisements as readonly { prepend?: number; med?: number }[]
      assert.deepEqual([prepend, med], [3, 50])
    },
  },
  {
    name: 'AS path prepend out of bounds',
    yaml: withOptions("metallb.io/as-path-prepend: '11'"),
    refused: [tooMany],
  },
  {
    name: 'link bandwidth for each endpoint, in Mbit/s',
    yaml: withOptions("metallb.io/link-bandwidth: '100'"),
    accepted: config => assert.equal(config.bgp!.advertisements[0]!.bandwidthPerEndpoint, 12_500_000),
  },
  {
    name: 'link bandwidth of nothing',
    yaml: withOptions("metallb.io/link-bandwidth: '0'"),
    refused: ['metadata.annotations[metallb.io/link-bandwidth] invalid number "0", must be from 1 to 1000000'],
  },
  {
    name: '61 an alias, a standard and a large literal',
    yaml:
      WEB +
      adv('adv', 'communities: [blackhole, "64600:7", "large:64600:1:2"]') +
      aliases('set', ['blackhole', '65535:666']),
    accepted: config => assert.deepEqual(communities(config), ['64600:1:2', '64600:7', '65535:666']),
  },
  {
    name: '62 an alias and a literal of the same value collapse',
    yaml: WEB + adv('adv', 'communities: [bh, "65535:666"]') + aliases('set', ['bh', '65535:666']),
    accepted: config => assert.deepEqual(communities(config), ['65535:666']),
  },
  ...(
    [
      ['63 an unknown alias', 'nowhere', 'invalid community format: nowhere'],
      [
        '64 a section above 16 bits',
        '64600:65536',
        'invalid community value: invalid section "65536" of community "64600:65536": value out of range',
      ],
      [
        '65 a wrong marker',
        'huge:1:2:3',
        'invalid community value: invalid marker for large community, expected community to be of format large:<uint32>:<uint32>:<uint32> but got "huge:1:2:3" instead',
      ],
      ['66 three parts', '1:2:3', 'invalid community format: 1:2:3'],
      [
        '67 a large section above 32 bits',
        'large:1:4294967296:3',
        'invalid community value: invalid section "4294967296" of community "large:1:4294967296:3": value out of range',
      ],
    ] as const
  ).map(([name, text, cause]) => ({
    name,
    yaml: WEB + adv('adv', `communities: ["${text}"]`),
    refused: [`spec.communities[0] invalid community "${text}" in BGP advertisement: ${cause}`],
  })),
  {
    name: '68 a bad value in a Community',
    yaml: aliases('set', ['oops', '64600:']),
    refused: [
      'spec.communities[0].value parsing community "oops": invalid community value: invalid section "" of community "64600:": invalid syntax',
    ],
  },
  {
    name: 'an alias with a bad value is reported once, not again where it is used',
    yaml: WEB + adv('adv', 'communities: [oops]') + aliases('set', ['oops', '64600:']),
    refused: [/^spec\.communities\[0\]\.value parsing community "oops"/],
  },
  {
    name: '69 the same alias in two objects',
    yaml: aliases('two', ['vip', '64600:2']) + aliases('one', ['vip', '64600:1']),
    refused: ['spec.communities[0].name duplicate definition of community "vip"'],
  },
  {
    name: '70 the same community twice in one advertisement',
    yaml: WEB + adv('adv', 'communities: ["64600:1", "64600:1"]'),
    refused: ['spec.communities[0] duplicate definition of community "64600:1"'],
  },
  {
    name: '71, 90 no selector means every pool and node; pools that do not exist are ignored',
    yaml: `${WEB + NODES + adv('named', 'ipAddressPools: [web, later]')}{kind: BGPAdvertisement, metadata: {name: all}}`,
    accepted: config => {
      const everywhere = {
        nodes: new Set(['n1', 'n2']),
        pools: new Set(['web']),
        peers: 'all',
        aggregationLength: { ipv4: 32, ipv6: 128 },
        communities: [],
        serviceSelectors: [],
      }
      assert.deepEqual(config.bgp!.advertisements, [
        { name: 'all', ...everywhere },
        { name: 'named', ...everywhere },
      ])
    },
  },
  {
    name: '72 pool selectors are alternatives and an empty selector selects all',
    yaml:
      pool('pa', '172.20.9.0/28', 'zone: a') +
      pool('pb', '172.20.9.16/28', 'zone: b') +
      adv('sel', 'ipAddressPoolSelectors: [{matchLabels: {zone: a}}, {matchLabels: {zone: q}}]') +
      adv('wide', 'ipAddressPoolSelectors: [{}]'),
    accepted: ({ bgp }) => {
      assert.deepEqual(bgp!.advertisements[0]!.pools, new Set(['pa']))
      assert.deepEqual(bgp!.advertisements[1]!.pools, new Set(['pa', 'pb']))
    },
  },
  {
    name: '73 aggregation shorter than the prefix of the pool',
    yaml: pool('slim', '172.20.10.0/27') + adv('agg', 'aggregationLength: 26'),
    refused: [
      'spec.aggregationLength invalid aggregation length 26: prefix 27 in this pool is more specific than the aggregation length for addresses 172.20.10.0/27',
    ],
  },
  {
    name: '74 a range is accepted when one of its blocks is large enough',
    yaml: pool('rng', '172.20.10.255-172.20.12.0') + adv('agg', 'aggregationLength: 24'),
    accepted: config => assert.equal(config.bgp!.advertisements[0]!.aggregationLength.ipv4, 24),
  },
  {
    name: '75, 76 aggregation lengths beyond the address (REF-BUG 8: as numbers)',
    yaml: WEB + adv('agg', 'aggregationLength: 33, aggregationLengthV6: 129'),
    refused: [
      'spec.aggregationLength invalid aggregation length 33 for IPv4',
      'spec.aggregationLengthV6 invalid aggregation length 129 for IPv6',
    ],
  },
  {
    name: '77 IPv6 aggregation that does not fit names the IPv6 length (REF-BUG 8)',
    yaml: pool('six', '"2001:db8:b::/124"') + adv('agg', 'aggregationLengthV6: 120'),
    refused: [
      'spec.aggregationLengthV6 invalid aggregation length 120: prefix 124 in this pool is more specific than the aggregation length for addresses 2001:db8:b::/124',
    ],
  },
  {
    name: '78 conflicting local preferences on a shared node',
    yaml: WEB + NODES + adv('a1', 'localPref: 100') + adv('a2', 'localPref: 200'),
    refused: [conflict(200, 100)],
  },
  {
    name: '79 different local preferences, disjoint nodes',
    yaml: WEB + NODES + adv('a1', `localPref: 100, ${RACK('r1')}`) + adv('a2', `localPref: 200, ${RACK('r2')}`),
    accepted: both,
  },
  {
    name: '80 different local preferences, disjoint peers',
    yaml: WEB + NODES + adv('a1', 'localPref: 100, peers: [px]') + adv('a2', 'localPref: 200, peers: [py]'),
    accepted: both,
  },
  {
    name: '81 different local preferences, different aggregation lengths',
    yaml: WEB + NODES + adv('a1', 'localPref: 100') + adv('a2', 'localPref: 200, aggregationLength: 24'),
    accepted: both,
  },
  {
    name: '82 different local preferences, one for chosen services',
    yaml:
      WEB +
      NODES +
      adv('a1', 'localPref: 100') +
      adv('a2', 'localPref: 200, serviceSelectors: [{matchLabels: {app: web}}]'),
    accepted: both,
  },
  {
    name: '83 a dual-stack pool, only one length differs',
    yaml:
      pool('dual', '172.20.13.0/24, "2001:db8:c::/120"') +
      NODES +
      adv('a1', 'localPref: 100') +
      adv('a2', 'localPref: 200, aggregationLength: 24'),
    refused: [conflict(200, 100)],
  },
  {
    name: 'a local preference of 0 is not none (decision 4), a negative one is refused (157)',
    yaml: WEB + adv('a1', 'localPref: 0') + adv('a2', ''),
    accepted: config =>
      assert.deepEqual(
        config.bgp!.advertisements.map(({ localPref }) => localPref),
        [0, undefined],
      ),
  },
  {
    name: '157, 158 local preferences that no peer can be told',
    yaml: WEB + adv('a1', 'localPref: -1') + adv('a2', 'localPref: 3000000000'),
    refused: [
      'spec.localPref invalid value 3000000000, must be in -2147483648-2147483647 range',
      'spec.localPref invalid local preference -1: must not be negative',
    ],
  },
  {
    name: '84, 85 service selectors with aggregation',
    yaml:
      WEB + adv('svc', 'aggregationLength: 24, aggregationLengthV6: 96, serviceSelectors: [{matchLabels: {app: web}}]'),
    refused: [
      'spec.aggregationLength serviceSelectors and aggregationLength are mutually exclusive, both cannot be set in svc',
      'spec.aggregationLengthV6 serviceSelectors and aggregationLengthV6 are mutually exclusive, both cannot be set in svc',
    ],
  },
  {
    name: '86, 87 names twice',
    yaml: WEB + adv('dup', 'ipAddressPools: [web, web], peers: [p1, p1]'),
    refused: [
      'spec.peers[0] duplicate definition of peers "p1"',
      'spec.ipAddressPools[0] duplicate definition of ipAddressPools "web"',
    ],
  },
  {
    name: '88 an unknown operator in nodeSelectors',
    yaml: WEB + NODES + adv('op', 'nodeSelectors: [{matchExpressions: [{key: rack, operator: Like, values: [r]}]}]'),
    refused: [
      'spec.nodeSelectors[0].matchExpressions[0].operator failed to parse node selector for op: invalid label selector "rack Like (r)": "Like" is not a valid label selector operator',
    ],
  },
  {
    name: '89 a bad service selector',
    yaml: WEB + adv('op', 'serviceSelectors: [{matchExpressions: [{key: "not a key", operator: Exists}]}]'),
    refused: [
      `spec.serviceSelectors[0].matchExpressions[0].key failed to parse service selector for op: invalid service selector "not a key": key: Invalid value: "not a key": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`,
    ],
  },
  {
    name: '91 a pool reached by name and by label is reached once (REF-BUG 25)',
    yaml:
      pool('pa', '172.20.9.0/28', 'zone: a') +
      adv('twice', 'ipAddressPools: [pa], ipAddressPoolSelectors: [{matchLabels: {zone: a}}]'),
    accepted: config => assert.deepEqual(config.bgp!.advertisements[0]!.pools, new Set(['pa'])),
  },
])

testExamples(
  [
    {
      name: '139 where aliases are not loaded, what may be one is not checked; what cannot be one is',
      yaml: WEB + adv('a', 'communities: [nowhere, "1:2:3"]') + adv('b', 'communities: ["1:x"]'),
      refused: [/^spec\.communities\[0\] invalid community "1:x"/],
    },
  ],
  ({ communities: _, ...snapshot }) => parseConfig(snapshot),
)

test('a local preference conflicts whether the earlier one is higher or lower, once for each earlier advertisement', () => {
  const advertisement = (name: string, localPref: number) => ({ metadata: { name }, spec: { localPref } })
  const conflictsOf = (...preferences: number[]) => {
    const parsed = parseConfig({
      pools: ['p', 'q'].map((name, index) => ({ metadata: { name }, spec: { addresses: [`10.0.${index}.0/24`] } })),
      nodes: [{ metadata: { name: 'n' } }],
      bgpAdvertisements: preferences.map((preference, index) => advertisement(`a${index}`, preference)),
    })
    const problems = 'problems' in parsed ? parsed.problems : []
    return problems.map(({ name, hint }) => `${name}: ${hint}`)
  }
  const of = (name: string, earlier: string) => `${name}: BGPAdvertisement ${earlier} announces pool p too`
  assert.deepEqual(conflictsOf(1, 2), [of('a1', 'a0')])
  assert.deepEqual(conflictsOf(2, 1), [of('a1', 'a0')])
  assert.deepEqual(conflictsOf(2, 1, 2, 3), [
    ...[of('a1', 'a0'), of('a2', 'a1')],
    ...[of('a3', 'a0'), of('a3', 'a1'), of('a3', 'a2')],
  ])
})
