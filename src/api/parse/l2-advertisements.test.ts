// Chapter 01 section 6.F.
import assert from 'node:assert/strict'
import { testExamples } from '../../testing/acceptance.ts'

const NODES = `{kind: Node, metadata: {name: n2, labels: {rack: r2}}}
---
{kind: Node, metadata: {name: n1, labels: {rack: r1}}}
---
`
const POOL =
  '{kind: IPAddressPool, metadata: {name: web, labels: {zone: a}}, spec: {addresses: [172.20.8.0/24]}}\n---\n'

const advertisement = (name: string, spec: string) =>
  `{kind: L2Advertisement, metadata: {name: ${name}}, spec: {${spec}}}\n---\n`

testExamples([
  {
    name: '92 no selector at all',
    yaml: NODES + POOL + advertisement('all', ''),
    accepted: config =>
      assert.deepEqual(config.l2Advertisements, [
        {
          name: 'all',
          nodes: new Set(['n1', 'n2']),
          pools: new Set(['web']),
          interfaces: 'all',
          serviceSelectors: [],
          preferredNodes: new Map(),
        },
      ]),
  },
  {
    name: 'an advertisement without spec is the same',
    yaml: `${NODES + POOL}{kind: L2Advertisement, metadata: {name: bare}}`,
    accepted: config => assert.deepEqual(config.l2Advertisements[0]!.pools, new Set(['web'])),
  },
  {
    name: '93 equivalent advertisements: the interfaces are a set',
    yaml:
      NODES + POOL + advertisement('l1', 'interfaces: [eth0, eth1]') + advertisement('l2', 'interfaces: [eth1, eth0]'),
    accepted: ({ l2Advertisements: [first, second] }) =>
      assert.deepEqual({ ...first, name: '' }, { ...second, name: '' }),
  },
  {
    name: '94 preferences sum inside one advertisement and only on eligible nodes',
    yaml:
      NODES +
      POOL +
      advertisement(
        'pref',
        'nodeSelectors: [{matchLabels: {rack: r1}}], preferredNodeSelectors: [{weight: 30, preference: {}}, {weight: 5, preference: {matchLabels: {rack: r1}}}]',
      ),
    accepted: config => {
      assert.deepEqual(config.l2Advertisements[0]!.nodes, new Set(['n1']))
      assert.deepEqual(config.l2Advertisements[0]!.preferredNodes, new Map([['n1', 35]]))
    },
  },
  {
    name: '95 advertisements with preferences stay apart, so that their scores add up',
    yaml:
      NODES +
      POOL +
      ['p1', 'p2']
        .map(name =>
          advertisement(name, 'preferredNodeSelectors: [{weight: 10, preference: {matchLabels: {rack: r2}}}]'),
        )
        .join(''),
    accepted: config =>
      assert.deepEqual(
        config.l2Advertisements.map(({ preferredNodes }) => preferredNodes),
        [new Map([['n2', 10]]), new Map([['n2', 10]])],
      ),
  },
  {
    name: '96 a bad preference',
    yaml:
      NODES +
      POOL +
      advertisement(
        'p1',
        'preferredNodeSelectors: [{weight: 10, preference: {matchExpressions: [{key: rack, operator: Gt, values: ["3"]}]}}]',
      ),
    refused: [
      'spec.preferredNodeSelectors[0].preference.matchExpressions[0].operator failed to parse preferred node selectors for p1: invalid preferred node selector "rack Gt (3)": "Gt" is not a valid label selector operator',
    ],
  },
  {
    name: '97 equal pool selectors',
    yaml: POOL + advertisement('d', 'ipAddressPoolSelectors: [{matchLabels: {a: b}}, {matchLabels: {a: b}}]'),
    refused: ['spec.ipAddressPoolSelectors[0] duplicate definition of ipAddressPoolSelectors "a=b"'],
  },
  {
    name: '98 a bad pool selector',
    yaml:
      POOL +
      advertisement('d', 'ipAddressPoolSelectors: [{matchExpressions: [{key: a, operator: Exists, values: [b]}]}]'),
    refused: [
      'spec.ipAddressPoolSelectors[0].matchExpressions[0].values invalid label selector "a Exists (b)": values: Invalid value: ["b"]: values set must be empty for exists and does not exist',
    ],
  },
  {
    name: '99 a node selector that matches no node announces from nowhere',
    yaml: NODES + POOL + advertisement('d', 'nodeSelectors: [{matchLabels: {rack: r9}}]'),
    accepted: config => assert.deepEqual(config.l2Advertisements[0]!.nodes, new Set()),
  },
  {
    name: 'pools by name and by label, pools that do not exist are ignored',
    yaml:
      POOL +
      POOL.replaceAll('web', 'other').replace('zone: a', 'zone: b').replace('.8.', '.9.') +
      advertisement('both', 'ipAddressPools: [other, later], ipAddressPoolSelectors: [{matchLabels: {zone: a}}]') +
      advertisement('none', 'ipAddressPoolSelectors: [{matchLabels: {zone: z}}]'),
    accepted: ({ l2Advertisements: [both, none] }) => {
      assert.deepEqual(both!.pools, new Set(['other', 'web']))
      assert.deepEqual(none!.pools, new Set())
    },
  },
  {
    name: '129, 132 a pool named twice',
    yaml: POOL + advertisement('l', 'ipAddressPools: [q, q], nodeSelectors: [{matchLabels: {rack: r2}}]'),
    refused: ['spec.ipAddressPools[0] duplicate definition of ipAddressPools "q"'],
  },
  {
    name: 'weights out of bounds and preferences without selector are refused, as the API server does',
    yaml: POOL + advertisement('w', 'preferredNodeSelectors: [{weight: 0, preference: {}}, {weight: 101}]'),
    refused: [
      'spec.preferredNodeSelectors[0].weight invalid value 0, must be in 1-100 range',
      'spec.preferredNodeSelectors[1].preference missing required value',
      'spec.preferredNodeSelectors[1].weight invalid value 101, must be in 1-100 range',
    ],
  },
])
