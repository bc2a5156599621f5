/** A hundred speakers whose network fails: one cluster for all of it, because its start costs most. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LEARNED_MS } from './bounds.ts'
import { Cluster } from './index.ts'

const ownersOf = (cluster: Cluster) => cluster.ownership.addresses.map(ip => cluster.ownership.owners(ip).join())

test('a hundred speakers on a network that fails', async t => {
  const cluster = new Cluster({ seed: 4, speakers: 100, learnedMs: LEARNED_MS.troubles })
  const { judge } = cluster
  cluster.conditions = { loss: 0.005, jitterMs: 2 }
  await cluster.boot()
  await cluster.calm()
  assert.deepEqual(judge.violations, [])
  const before = ownersOf(cluster)

  await t.test('each side of a partition has its owners, and two seconds after it heals there is one', async () => {
    judge.longest.several = 0
    cluster.partition(cluster.names.filter((_, n) => n % 3 === 0))
    await cluster.settle()
    assert.equal(cluster.wrong(), undefined)
    cluster.heal()
    await cluster.settle(2000)
    assert.ok(judge.longest.several > 0, 'for a moment both sides answer')
    assert.deepEqual(ownersOf(cluster), before)
    assert.deepEqual(judge.violations, [])
  })

  await t.test('delay, overtaking, duplicates and wall clocks that jump move nothing', async () => {
    cluster.conditions = { delayMs: 20, jitterMs: 30, reorder: 0.05, duplicate: 0.02 }
    for (const [n, node] of cluster.names.entries()) cluster.jump(node, (n - 50) * 1e6)
    await cluster.quiet(1000)
    assert.deepEqual(judge.violations, [])
  })

  await t.test('10 % loss moves nothing, and a crash is noticed all the same', async () => {
    cluster.conditions = { loss: 0.1, delayMs: 20, jitterMs: 30 }
    await cluster.quiet(1000)
    cluster.kill(cluster.ownership.owners(cluster.ownership.addresses[0]!)[0]!)
    await cluster.settle()
    assert.deepEqual(judge.violations, [])
  })
})
