import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sameConfig } from '../../core/config/index.ts'
import { type ConfigSnapshot, parseConfig } from './index.ts'

/** Mostly the usual, now and then the wrong. */
const mostly = <T>(usual: fc.Arbitrary<T>, ...wrong: T[]) =>
  fc.oneof({ weight: 30, arbitrary: usual }, fc.constantFrom(...wrong))

const name = fc.constantFrom('a', 'b', 'c', 'd')
const labels = fc.dictionary(fc.constantFrom('zone', 'rack'), fc.constantFrom('x', 'y'), { noNullPrototype: true })
const selector = fc.oneof(
  fc.record({ matchLabels: labels }),
  fc.record({
    matchExpressions: fc.array(
      fc.record({
        key: mostly(fc.constantFrom('zone', 'rack'), 'not a key'),
        operator: mostly(fc.constantFrom('In', 'NotIn'), 'Exists', 'Near'),
        values: fc.subarray(['x', 'y'], { minLength: 1 }),
      }),
      { maxLength: 2 },
    ),
  }),
)
const selectors = fc.array(selector, { maxLength: 2 })
const names = fc.subarray(['a', 'b', 'c'])
const object = <T>(spec: fc.Arbitrary<T>) => fc.record({ metadata: fc.record({ name, labels }), spec })
const listOf = <T>(spec: fc.Arbitrary<T>) =>
  fc.uniqueArray(object(spec), { maxLength: 4, selector: ({ metadata }) => metadata.name })

const block = fc.tuple(fc.nat(250), fc.nat(3)).map(([third, size]) => `10.0.${third}.0/${24 + size}`)
const address = mostly(block, '2001:db8::/120', '10.9.0.1-10.9.0.9', 'x')

const snapshots = fc.record({
  pools: listOf(
    fc.record({
      addresses: fc.array(address, { minLength: 1, maxLength: 2 }),
      serviceAllocation: fc.option(fc.record({ namespaces: names, namespaceSelectors: selectors }), { nil: undefined }),
    }),
  ),
  l2Advertisements: listOf(
    fc.record({ ipAddressPools: names, nodeSelectors: selectors, interfaces: names, serviceSelectors: selectors }),
  ),
  bgpAdvertisements: listOf(
    fc.record({
      aggregationLength: mostly(fc.constant(32), 24, 40),
      localPref: mostly(fc.constant(0), 1, 2),
      communities: mostly(fc.subarray(['1:2', 'large:1:2:3']), ['alias'], ['x:y']),
      peers: names,
      ipAddressPoolSelectors: selectors,
    }),
  ),
  peers: listOf(
    fc.record({
      myASN: mostly(fc.constant(64600), 0),
      peerASN: fc.constantFrom(64600, 64700),
      peerAddress: mostly(
        fc.nat(255).map(last => `192.0.2.${last}`),
        'oops',
      ),
      bfdProfile: mostly(fc.constant(''), 'a', 'z'),
      nodeSelectors: selectors,
    }),
  ),
  bfdProfiles: listOf(fc.record({ detectMultiplier: mostly(fc.constant(3), 1), echoMode: fc.boolean() })),
  communities: listOf(
    fc.record({
      communities: fc.array(fc.record({ name: fc.constant('alias'), value: fc.constant('1:2') }), { maxLength: 1 }),
    }),
  ),
  nodes: listOf(fc.constant({})),
  namespaces: listOf(fc.constant({})),
})

const options = { mode: 'frr' as const, node: 'a' }

/** The fields of each object in the opposite order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, field]) => [key, reversed(field)]),
  )
}

function permuted(snapshot: ConfigSnapshot): ConfigSnapshot {
  return Object.fromEntries(
    Object.entries(snapshot).map(([list, objects]) => [list, [...objects].reverse().map(reversed)]),
  )
}

test('the order of lists and fields never changes the outcome, nor does writing and reading the JSON', () => {
  const seen = { accepted: 0, refused: 0 }
  fc.assert(
    fc.property(snapshots, snapshot => {
      const plain = parseConfig(snapshot as ConfigSnapshot, options)
      for (const variant of [permuted(snapshot as ConfigSnapshot), JSON.parse(JSON.stringify(snapshot))]) {
        const other = parseConfig(variant, options)
        assert.deepEqual(other, plain)
        if ('config' in plain && 'config' in other) assert.ok(sameConfig(plain.config, other.config))
      }
      seen['config' in plain ? 'accepted' : 'refused']++
    }),
    { numRuns: 400 },
  )
  assert.ok(seen.accepted > 0 && seen.refused > 0, JSON.stringify(seen))
})

test('what is accepted has disjoint ranges and advertisements of pools that exist', () => {
  fc.assert(
    fc.property(snapshots, snapshot => {
      const parsed = parseConfig(snapshot as ConfigSnapshot)
      if ('problems' in parsed) return
      const { pools, l2Advertisements } = parsed.config
      const claimed = pools.flatMap(({ ranges }) => ranges)
      for (const [index, a] of claimed.entries())
        for (const b of claimed.slice(index + 1))
          assert.ok(a.family !== b.family || a.last < b.first || b.last < a.first)
      const known = new Set(pools.map(pool => pool.name))
      for (const advertisement of l2Advertisements) for (const pool of advertisement.pools) assert.ok(known.has(pool))
    }),
  )
})
