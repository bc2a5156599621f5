/** Interfaces that are lost and come back (IMP-25): their nodes are members as before, and no candidates. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cluster } from './index.ts'

/** Owner and next; each is told first hand, by a packet that may be lost and is followed by the next after 50 ms. */
const TOLD_MS = 60

async function running(seed: number): Promise<Cluster> {
  const cluster = new Cluster({ seed, speakers: 8, interfaces: ['eth0', 'eth1'] })
  cluster.conditions = { loss: 0.005, jitterMs: 2 }
  await cluster.boot()
  await cluster.calm()
  cluster.judge.longest.nobody = 0
  cluster.judge.longest.several = 0
  return cluster
}

const ownerOf = (cluster: Cluster, n = 0) => cluster.ownership.owners(cluster.ownership.addresses[n]!)[0]!

for (const seed of [1, 2, 3])
  test(`seed ${seed}: without any selected interface others take over at once, and it takes back when one is there`, async () => {
    const cluster = await running(seed)
    const before = cluster.ownership.addresses.map((_, n) => ownerOf(cluster, n))
    const node = ownerOf(cluster)
    cluster.carrier(node, 'eth0', false)
    await cluster.quiet(500) // the other one is enough
    cluster.carrier(node, 'eth1', false)
    await cluster.settle()
    assert.notEqual(ownerOf(cluster), node)
    assert.deepEqual(cluster.ownership.heldBy(node), [])
    assert.ok(cluster.leaves.length === 0, 'it is a member all the time')
    cluster.carrier(node, 'eth1', true)
    await cluster.settle()
    assert.deepEqual(
      cluster.ownership.addresses.map((_, n) => ownerOf(cluster, n)),
      before,
    )
    const { nobody, several } = cluster.judge.longest
    assert.ok(nobody < TOLD_MS && several < TOLD_MS, `nobody for ${nobody} ms, several for ${several} ms`)
    assert.deepEqual(cluster.judge.violations, [])
  })

test('interfaces lost one after the other, a crash and a partition among them: each time the able ones own all', async () => {
  const cluster = await running(4)
  for (const round of [0, 1, 2]) {
    cluster.carrier(ownerOf(cluster, round), 'eth0', false)
    cluster.carrier(ownerOf(cluster, round), 'eth1', false)
    await cluster.settle()
  }
  cluster.kill(ownerOf(cluster))
  await cluster.settle()
  cluster.partition(cluster.names.slice(0, 4))
  await cluster.settle()
  cluster.heal()
  await cluster.settle()
  for (const node of cluster.names) {
    if (cluster.truth.life(node) !== 'announcing') continue
    cluster.carrier(node, 'eth1', true)
    await cluster.settle()
  }
  assert.deepEqual(cluster.judge.violations, [])
})

test('where no node has an interface left nobody answers, and the first that has one again answers for all', async () => {
  const cluster = await running(5)
  for (const node of cluster.names) for (const name of ['eth0', 'eth1']) cluster.carrier(node, name, false)
  await cluster.run(500)
  assert.deepEqual(
    cluster.names.flatMap(node => cluster.ownership.heldBy(node)),
    [],
  )
  cluster.carrier('node-005', 'eth0', true)
  await cluster.run(TOLD_MS)
  assert.equal(cluster.expectation.wrongOwner(), undefined)
  assert.equal(cluster.ownership.heldBy('node-005').length, 16)
})
