import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sha256 } from '../../adapters/system/hash.ts'
import { type Placeable, placeBalanced } from './placement.ts'

const NODES = Array.from({ length: 100 }, (_, index) => `node-${index}`)
const addresses = (count: number) => Array.from({ length: count }, (_, index) => `10.0.${index >> 8}.${index & 255}`)
const everywhere = (count: number, nodes: readonly string[]) =>
  addresses(count).map(key => ({ key, candidates: nodes }))

function loads(owners: ReadonlyMap<string, string>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const node of owners.values()) counts.set(node, (counts.get(node) ?? 0) + 1)
  return counts
}

function moved(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): number {
  return [...after].filter(([key, node]) => before.get(key) !== node).length
}

const items = fc
  .record({ count: fc.integer({ min: 1, max: 80 }), nodes: fc.integer({ min: 1, max: 12 }) })
  .chain(({ count, nodes }) =>
    fc.tuple(
      ...addresses(count).map(key =>
        fc.subarray(NODES.slice(0, nodes), { minLength: 0 }).map((candidates): Placeable => ({ key, candidates })),
      ),
    ),
  )

test('every address with candidates has one of them, and no node has more than its share plus one', () => {
  fc.assert(
    fc.property(items, given => {
      const owners = placeBalanced(given, sha256)
      for (const { key, candidates } of given) {
        if (candidates.length === 0) assert.equal(owners.has(key), false)
        else assert.ok(candidates.includes(owners.get(key)!))
      }
      for (const [node, load] of loads(owners)) {
        const share = given.reduce(
          (sum, { candidates }) => sum + (candidates.includes(node) ? 1 / candidates.length : 0),
          0,
        )
        assert.ok(load <= share + 1 + 1e-6, `${node} has ${load} of ${share}`)
      }
    }),
    { numRuns: 500 },
  )
})

test('neither the order of addresses nor that of candidates matters', () => {
  fc.assert(
    fc.property(items, fc.infiniteStream(fc.nat()), (given, noise) => {
      const shuffled = given
        .map(({ key, candidates }) => ({ key, candidates: [...candidates].reverse(), at: noise.next().value! }))
        .sort((a, b) => a.at - b.at)
      assert.deepEqual([...placeBalanced(shuffled, sha256)].sort(), [...placeBalanced(given, sha256)].sort())
    }),
  )
})

test('earlier addresses move on where a later one has no other place', () => {
  // the first two may go anywhere, the last three only to node-0: each node has room for floor(share) + 1
  const given = [
    ...addresses(2).map(key => ({ key, candidates: ['node-0', 'node-1'] })),
    ...['10.9.0.1', '10.9.0.2', '10.9.0.3'].map(key => ({ key, candidates: ['node-0'] })),
  ]
  const owners = placeBalanced(given, sha256)
  for (const { key } of given.slice(2)) assert.equal(owners.get(key), 'node-0')
})

for (const [count, nodes] of [
  [30, 3],
  [200, 10],
  [2000, 20],
  [10_000, 100],
] as const) // prettier-ignore
  test(`${count} addresses on ${nodes} nodes: where a node leaves, few others move`, () => {
    const all = NODES.slice(0, nodes)
    const before = placeBalanced(everywhere(count, all), sha256)
    for (const gone of [all[0], all.at(-1)]) {
      const after = placeBalanced(
        everywhere(
          count,
          all.filter(node => node !== gone),
        ),
        sha256,
      ) // prettier-ignore
      const own = loads(before).get(gone!) ?? 0
      assert.ok(moved(before, after) <= 2 * own + nodes, `${moved(before, after)} for ${own}`)
    }
  })
