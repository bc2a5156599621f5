// Chapter 01 section 6.A.
import assert from 'node:assert/strict'
import type { Config } from '../../core/config/index.ts'
import { formatPrefix, rangePrefixes } from '../../core/ip/index.ts'
import { type Example, testExamples } from '../../testing/acceptance.ts'

const blocks = (config: Config, pool = 0) => config.pools[pool]!.ranges.flatMap(rangePrefixes).map(formatPrefix)

function pool(name: string, addresses: string, more = ''): string {
  return `{kind: IPAddressPool, metadata: {name: ${name}}, spec: {addresses: [${addresses}]${more}}}\n---\n`
}

const allocated = (name: string, allocation: string) =>
  pool(name, '172.23.0.0/28', `, serviceAllocation: {${allocation}}`)

/** A pool whose only address cannot be read. */
const badAddress = (name: string, address: string, cause: string): Example['refused'] => [
  `spec.addresses[0] parsing address pool ${name}: invalid CIDR "${address}" in pool "${name}": ${cause}`,
]

testExamples([
  {
    name: '1 a CIDR with host bits is normalised',
    yaml: pool('web', '172.20.5.77/26'),
    accepted: config => {
      assert.deepEqual(blocks(config), ['172.20.5.64/26'])
      const { autoAssign, avoidBuggyIPs, entries, namespace } = config.pools[0]!
      assert.deepEqual(
        { autoAssign, avoidBuggyIPs, entries, namespace },
        { autoAssign: true, avoidBuggyIPs: false, entries: ['172.20.5.77/26'], namespace: 'metallb-system' },
      )
    },
  },
  {
    name: '2 a range is its aligned blocks, ascending',
    yaml: pool('web', '172.20.5.3 - 172.20.5.10'),
    accepted: config =>
      assert.deepEqual(blocks(config), ['172.20.5.3/32', '172.20.5.4/30', '172.20.5.8/31', '172.20.5.10/32']),
  },
  {
    name: '3 a range of one address',
    yaml: pool('one', '"2001:db8:7::9-2001:db8:7::9"'),
    accepted: config => assert.deepEqual(blocks(config), ['2001:db8:7::9/128']),
  },
  {
    name: '4 a bare address is not a CIDR',
    yaml: pool('bare', '172.20.5.3'),
    refused: badAddress('bare', '172.20.5.3', 'invalid CIDR "172.20.5.3"'),
  },
  {
    name: '5 a reversed range',
    yaml: pool('rev', '172.20.5.9-172.20.5.2'),
    refused: badAddress(
      'rev',
      '172.20.5.9-172.20.5.2',
      'invalid IP range "172.20.5.9-172.20.5.2": start IP "172.20.5.9" is after the end IP "172.20.5.2"',
    ),
  },
  {
    name: '6 a bad start of a range',
    yaml: pool('bad', '172.20.5.0/28-172.20.5.40'),
    refused: badAddress(
      'bad',
      '172.20.5.0/28-172.20.5.40',
      'invalid IP range "172.20.5.0/28-172.20.5.40": invalid start IP "172.20.5.0/28"',
    ),
  },
  {
    name: '7 a range of three parts',
    yaml: pool('bad', '172.20.5.1-172.20.5.2-172.20.5.3'),
    refused: badAddress(
      'bad',
      '172.20.5.1-172.20.5.2-172.20.5.3',
      'invalid IP range "172.20.5.1-172.20.5.2-172.20.5.3": invalid end IP "172.20.5.2-172.20.5.3"',
    ),
  },
  {
    name: '8 an octet with a leading zero',
    yaml: pool('oct', '172.020.5.0/24'),
    refused: badAddress('oct', '172.020.5.0/24', 'invalid CIDR "172.020.5.0/24"'),
  },
  {
    name: '9 a prefix length out of range',
    yaml: pool('pfx', '172.20.5.0/40'),
    refused: badAddress('pfx', '172.20.5.0/40', 'invalid CIDR "172.20.5.0/40"'),
  },
  {
    name: '10 no addresses',
    yaml: pool('none', ''),
    refused: ['spec.addresses parsing address pool none: pool has no prefixes defined'],
  },
  {
    name: '11 overlap between two pools, whatever their order',
    yaml: pool('beta', '172.22.0.0/24, 172.21.9.0/30') + pool('alpha', '172.21.0.0/16'),
    refused: [
      'spec.addresses[1] CIDR "172.21.9.0/30" in pool "beta" overlaps with already defined CIDR "172.21.0.0/16"',
    ],
  },
  {
    name: '12 overlap inside one pool',
    yaml: pool('self', '172.21.4.0/24, 172.21.4.250-172.21.5.5'),
    refused: [
      'spec.addresses[1] CIDR "172.21.4.250/31" in pool "self" overlaps with already defined CIDR "172.21.4.0/24"',
    ],
  },
  {
    name: '13 a range of mixed families is refused (REF-BUG 5)',
    yaml: pool('mix', '"172.21.4.1-2001:db8::1", 172.21.6.0/30'),
    refused: badAddress(
      'mix',
      '172.21.4.1-2001:db8::1',
      'invalid IP range "172.21.4.1-2001:db8::1": start IP is ipv4 and end IP is ipv6',
    ),
  },
  {
    name: 'an IPv4-mapped network is IPv4 and overlaps with IPv4 (REF-BUG 6)',
    yaml: pool('a', '10.1.2.0/24') + pool('b', '"::ffff:10.1.0.0/112"'),
    refused: ['spec.addresses[0] CIDR "10.1.0.0/16" in pool "b" overlaps with already defined CIDR "10.1.2.0/24"'],
  },
  {
    name: '14 a dual-stack pool',
    yaml: pool('dual', '172.21.7.0/29, "2001:db8:4::/125"', ', autoAssign: false, avoidBuggyIPs: true'),
    accepted: config => {
      assert.deepEqual(blocks(config), ['172.21.7.0/29', '2001:db8:4::/125'])
      assert.deepEqual([config.pools[0]!.autoAssign, config.pools[0]!.avoidBuggyIPs], [false, true])
    },
  },
  {
    name: '15 namespaces by name and by label add up',
    yaml: `${allocated('tenants', 'priority: 7, namespaces: [shop], namespaceSelectors: [{matchLabels: {tier: gold}}]')}
{kind: Namespace, metadata: {name: shop}}
---
{kind: Namespace, metadata: {name: bank, labels: {tier: gold}}}
---
{kind: Namespace, metadata: {name: blog, labels: {tier: tin}}}`,
    accepted: config =>
      assert.deepEqual(config.pools[0]!.allocation, {
        priority: 7,
        namespaces: new Set(['bank', 'shop']),
        serviceSelectors: [],
      }),
  },
  {
    name: '16 an empty serviceAllocation restricts nothing',
    yaml: allocated('any', 'priority: 3'),
    accepted: config => assert.deepEqual(config.pools[0]!.allocation, { priority: 3, serviceSelectors: [] }),
  },
  {
    name: '17 namespace selectors that match nothing admit nobody (REF-BUG 7)',
    yaml: `${allocated('ghost', 'namespaceSelectors: [{matchLabels: {tier: silver}}]')}
{kind: Namespace, metadata: {name: blog, labels: {tier: tin}}}`,
    accepted: config =>
      assert.deepEqual(config.pools[0]!.allocation, { priority: 0, namespaces: new Set(), serviceSelectors: [] }),
  },
  {
    name: '18 a namespace twice',
    yaml: allocated('dupns', 'namespaces: [a1, b2, a1]'),
    refused: ['spec.serviceAllocation.namespaces parsing address pool dupns: duplicate definition in namespaces field'],
  },
  {
    name: '19 equal service selectors, the order of values ignored',
    yaml: allocated(
      'dupsel',
      'serviceSelectors: [{matchExpressions: [{key: app, operator: In, values: [x, w]}]}, {matchExpressions: [{key: app, operator: In, values: [w, x]}]}]',
    ),
    refused: [
      'spec.serviceAllocation.serviceSelectors[0] parsing address pool dupsel: duplicate definition of serviceSelectors "app in (w,x)"',
    ],
  },
  {
    name: '20 an unknown operator in a namespace selector',
    yaml: allocated('op', 'namespaceSelectors: [{matchExpressions: [{key: env, operator: Equals, values: [prod]}]}]'),
    refused: [
      'spec.serviceAllocation.namespaceSelectors[0].matchExpressions[0].operator parsing address pool op: invalid namespace label selector "env Equals (prod)" in ip pool op: "Equals" is not a valid label selector operator',
    ],
  },
  {
    name: '21 In without values in a service selector',
    yaml: allocated('op2', 'serviceSelectors: [{matchExpressions: [{key: env, operator: In}]}]'),
    refused: [
      `spec.serviceAllocation.serviceSelectors[0].matchExpressions[0].values parsing address pool op2: invalid service label selector "env in ()" in ip pool op2: values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty`,
    ],
  },
  {
    name: '23 namespaceSelectors [{}] matches all namespaces',
    yaml: `${allocated('every', 'namespaceSelectors: [{}]')}
{kind: Namespace, metadata: {name: bb}}
---
{kind: Namespace, metadata: {name: aa}}`,
    accepted: config => assert.deepEqual(config.pools[0]!.allocation!.namespaces, new Set(['aa', 'bb'])),
  },
  {
    name: 'every problem of every pool is told at once, by name',
    yaml: pool('zeta', 'x, 10.0.0.0/24') + pool('alpha', '') + pool('eta', '10.0.0.7/32, 10.0.0.0/24, y'),
    refused: [
      /^spec\.addresses parsing address pool alpha:/,
      /^spec\.addresses\[2\] parsing address pool eta: invalid CIDR "y"/,
      /^spec\.addresses\[0\] parsing address pool zeta: invalid CIDR "x"/,
      /^spec\.addresses\[1\] CIDR "10\.0\.0\.0\/24" in pool "eta" overlaps with already defined CIDR "10\.0\.0\.7\/32"/,
      /^spec\.addresses\[1\] CIDR "10\.0\.0\.0\/24" in pool "zeta" overlaps/,
    ],
  },
  {
    name: 'a pool of the wrong shape names the field',
    yaml: '{kind: IPAddressPool, metadata: {name: p}, spec: {addresses: 10.0.0.0/24, autoAssign: "yes"}}',
    refused: ['spec.addresses must be a list, not a string', 'spec.autoAssign must be a boolean, not a string'],
  },
  {
    name: 'two pools of one name, as files can hold them',
    yaml: pool('web', '10.0.0.0/24') + pool('web', '10.1.0.0/24'),
    refused: ['metadata.name duplicate definition of pool "web"', 'metadata.name duplicate definition of pool "web"'],
  },
])
