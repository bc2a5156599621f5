/** A hundred speakers on a bad network. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LEARNED_MS } from './bounds.ts'
import { Cluster } from './index.ts'

test('a hundred speakers: delay, overtaking, 10 % loss and clocks that jump move nothing, and a crash is noticed all the same', async () => {
  const cluster = new Cluster({ seed: 5, speakers: 100, learnedMs: LEARNED_MS.troubles })
  const { judge } = cluster
  cluster.conditions = { delayMs: 20, jitterMs: 30, reorder: 0.05, duplicate: 0.02 }
  await cluster.boot()
  for (const [n, node] of cluster.names.entries()) cluster.jump(node, (n - 50) * 1e6)
  await cluster.quiet(1000)
  assert.deepEqual(judge.violations, [])
  cluster.conditions = { loss: 0.1, delayMs: 20, jitterMs: 30 }
  await cluster.quiet(1000)
  cluster.kill(cluster.ownership.owners(cluster.ownership.addresses[0]!)[0]!)
  await cluster.settle()
  assert.deepEqual(judge.violations, [])
})
