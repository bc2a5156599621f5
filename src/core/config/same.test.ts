import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Config, Pool } from './model.ts'
import { sameConfig } from './same.ts'

const pool: Pool = {
  name: 'web',
  namespace: 'metallb-system',
  ranges: [
    { family: 'ipv4', first: 1n, last: 2n },
    { family: 'ipv4', first: 5n, last: 6n },
  ],
  entries: ['a', 'b'],
  autoAssign: true,
  avoidBuggyIPs: false,
  allocation: {
    priority: 1,
    namespaces: new Set(['x', 'y']),
    serviceSelectors: [{ matchLabels: { a: '1', b: '2' } }, {}],
  },
}
const other: Pool = { ...pool, name: 'other' }
const advertisement = {
  name: 'l2',
  nodes: new Set(['n1', 'n2']),
  pools: new Set(['web']),
  interfaces: 'all' as const,
  serviceSelectors: [],
  preferredNodes: new Map([
    ['n1', 1],
    ['n2', 2],
  ]),
}
const config: Config = { pools: [pool, other], l2Advertisements: [advertisement] }

const same: [string, Config][] = [
  ['itself', config],
  ['a copy', structuredClone(config)],
  ['pools in another order', { ...config, pools: [other, pool] }],
  [
    'sets, maps and selectors in another order',
    {
      pools: [
        {
          ...pool,
          allocation: {
            priority: 1,
            namespaces: new Set(['y', 'x']),
            serviceSelectors: [{}, { matchLabels: { b: '2', a: '1' } }],
          },
        },
        other,
      ],
      l2Advertisements: [
        {
          ...advertisement,
          nodes: new Set(['n2', 'n1']),
          preferredNodes: new Map([
            ['n2', 2],
            ['n1', 1],
          ]),
        },
      ],
    },
  ],
  ['an undefined field', { ...config, bgp: undefined }],
]
for (const [name, variant] of same) test(`the same: ${name}`, () => assert.equal(sameConfig(config, variant), true))

const different: [string, Config][] = [
  ['a pool less', { ...config, pools: [pool] }],
  ['ranges in another order', { ...config, pools: [{ ...pool, ranges: pool.ranges.toReversed() }, other] }],
  ['a score', { ...config, l2Advertisements: [{ ...advertisement, preferredNodes: new Map([['n1', 1]]) }] }],
  [
    'scores swapped',
    {
      ...config,
      l2Advertisements: [
        {
          ...advertisement,
          preferredNodes: new Map([
            ['n1', 2],
            ['n2', 1],
          ]),
        },
      ],
    },
  ],
  ['a set with the same text', { ...config, l2Advertisements: [{ ...advertisement, nodes: new Set(['n1,n2']) }] }],
  ['BGP', { ...config, bgp: { peers: [], advertisements: [], bfdProfiles: [], extras: '' } }],
  [
    'no restriction instead of an empty one',
    {
      ...config,
      pools: [{ ...pool, allocation: { priority: 1, serviceSelectors: pool.allocation!.serviceSelectors } }, other],
    },
  ],
]
for (const [name, variant] of different)
  test(`not the same: ${name}`, () => assert.equal(sameConfig(config, variant), false))
