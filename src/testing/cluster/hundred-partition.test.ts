/** A hundred speakers in two parts; by itself, because it takes as long as all of `hundred.test.ts`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LEARNED_MS } from './bounds.ts'
import { Cluster } from './index.ts'

const ownersOf = (cluster: Cluster) => cluster.ownership.addresses.map(ip => cluster.ownership.owners(ip).join())

test('a hundred speakers: each side of a partition has its owners, and two seconds after it heals there is one', async () => {
  const cluster = new Cluster({ seed: 4, speakers: 100, learnedMs: LEARNED_MS.troubles })
  const { judge } = cluster
  cluster.conditions = { loss: 0.005, jitterMs: 2 }
  await cluster.boot()
  await cluster.calm()
  const before = ownersOf(cluster)
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
