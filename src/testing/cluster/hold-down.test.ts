/** `--hold-down` (IMP-4) among many speakers: nobody but the returning node says that it is held, and all agree. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cluster } from './index.ts'

const HOLD_MS = 10_000

async function settled(seed = 1): Promise<Cluster> {
  const cluster = new Cluster({ seed, speakers: 8, holdDownMs: HOLD_MS })
  cluster.conditions = { loss: 0.005, jitterMs: 2 }
  await cluster.boot()
  assert.deepEqual(heldIn(cluster), [], 'where all start together nobody is held')
  await cluster.run(HOLD_MS)
  return cluster
}

/** Held nodes as the speakers see them; all see the same. */
function heldIn(cluster: Cluster): string[] {
  const seen = new Set(cluster.truth.announcing.map(node => cluster.machine(node).held.join()))
  assert.equal(seen.size, 1, `they see ${[...seen].join(' and ')}`)
  return [...seen][0]!.split(',').filter(node => node !== '')
}

const ownersOf = (cluster: Cluster) => cluster.ownership.addresses.map(ip => cluster.ownership.owners(ip).join())
const ownerOfFirst = (cluster: Cluster) => cluster.ownership.owners(cluster.ownership.addresses[0]!)[0]!

for (const end of ['kill', 'crash', 'leave'] as const)
  test(`after a ${end} the addresses stay where they are for the time, and are taken back after it`, async () => {
    for (const seed of [1, 2, 3]) {
      const cluster = await settled(seed)
      const before = ownersOf(cluster)
      const node = ownerOfFirst(cluster)
      cluster[end](node)
      await cluster.run(2000)
      const meanwhile = ownersOf(cluster)
      assert.notDeepEqual(meanwhile, before)
      const changes = cluster.ownership.changes.length
      await cluster.start(node)
      await cluster.run(HOLD_MS - 500)
      assert.deepEqual(heldIn(cluster), [node])
      assert.equal(cluster.ownership.changes.length, changes, 'nothing moved')
      cluster.judge.longest.several = 0
      await cluster.run(2500)
      assert.deepEqual(heldIn(cluster), [])
      // Others hear of it 50 ms later, first hand, by heartbeat: where the packet is lost, by the next one. Gossip takes some 200 ms.
      assert.ok(cluster.judge.longest.several < 110, `${cluster.judge.longest.several} ms`)
      assert.deepEqual(ownersOf(cluster), before)
      assert.deepEqual(cluster.judge.violations, [])
    }
  })

test('a storm of restarts moves each address once, and once back after the last', async () => {
  const cluster = await settled()
  const node = ownerOfFirst(cluster)
  for (let round = 0; round < 5; round++) {
    cluster.crash(node)
    await cluster.run(2000)
    if (round === 0) assert.notEqual(ownerOfFirst(cluster), node)
    const changes = cluster.ownership.changes.length
    await cluster.start(node)
    await cluster.run(3000)
    assert.equal(cluster.ownership.changes.length, changes, `round ${round}`)
  }
  // No life remembers the ones before: held for the plain time, counted from the last start.
  await cluster.run(HOLD_MS - 3000 - 500)
  assert.deepEqual(heldIn(cluster), [node])
  await cluster.run(1000)
  assert.deepEqual([heldIn(cluster), ownerOfFirst(cluster)], [[], node])
  assert.deepEqual(cluster.judge.violations, [])
})

test('where every speaker was away nobody waits', async () => {
  const cluster = await settled()
  const before = ownersOf(cluster)
  for (const node of cluster.names) cluster.kill(node)
  await cluster.run(15_000)
  for (const node of cluster.names) await cluster.start(node)
  await cluster.settle()
  assert.deepEqual(heldIn(cluster), [])
  assert.deepEqual(ownersOf(cluster), before)
})

test('who is held takes over where nobody else is left', async () => {
  const cluster = new Cluster({ seed: 1, speakers: 3, holdDownMs: 2 * HOLD_MS })
  await cluster.boot()
  await cluster.run(2 * HOLD_MS)
  const [back, ...others] = cluster.names as [string, ...string[]]
  cluster.kill(back)
  await cluster.run(2000)
  await cluster.start(back)
  await cluster.run(1000)
  assert.deepEqual(heldIn(cluster), [back])
  for (const node of others) cluster.kill(node)
  await cluster.run(10_000)
  assert.deepEqual(heldIn(cluster), [back])
  assert.deepEqual(new Set(ownersOf(cluster)), new Set([back]))
})
