/** `--balanced-placement` (IMP-5) among many speakers: each works it out by itself, and all come to the same. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cluster } from './index.ts'

const agree = (cluster: Cluster) =>
  assert.deepEqual([cluster.judge.violations, cluster.expectation.overloaded()], [[], undefined])

for (const seed of [1, 2])
  test(`seed ${seed}: crashes, restarts, cuts, new Services and deleted ones leave nobody more than its share and one`, async () => {
    const cluster = new Cluster({ seed, speakers: 9, addresses: 60, balanced: true })
    cluster.conditions = { loss: 0.005, jitterMs: 2 }
    await cluster.boot()
    agree(cluster)
    for (const node of ['node-003', 'node-007']) cluster.kill(node)
    await cluster.settle()
    agree(cluster)
    await cluster.start('node-003')
    await cluster.settle()
    for (let n = 60; n < 90; n++) cluster.addService(n)
    await cluster.settle()
    agree(cluster)
    for (let n = 10; n < 30; n++) cluster.removeService(n)
    await cluster.settle()
    agree(cluster)
    cluster.partition(cluster.names.slice(0, 4))
    await cluster.settle()
    cluster.heal()
    await cluster.settle()
    agree(cluster)
    cluster.leave('node-001')
    await cluster.settle()
    agree(cluster)
  })

test('a hundred speakers and 250 Services: all agree after each change', async () => {
  const cluster = new Cluster({ seed: 3, speakers: 100, balanced: true })
  cluster.conditions = { loss: 0.005, jitterMs: 2 }
  await cluster.boot()
  for (let n = 16; n < 250; n++) cluster.addService(n)
  await cluster.settle()
  agree(cluster)
  assert.ok(cluster.names.every(node => cluster.ownership.heldBy(node).length <= 3))
  cluster.kill('node-042')
  await cluster.settle()
  agree(cluster)
  for (let n = 0; n < 100; n++) cluster.removeService(n)
  await cluster.settle()
  agree(cluster)
})
