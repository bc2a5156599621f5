/** A hundred speakers whose nodes fail; more seeds with `campaign.ts --speakers 100`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cluster } from './index.ts'

for (const seed of [1, 2])
  test(`a hundred speakers, seed ${seed}: dead and frozen ones are replaced in time, the others keep what they have`, async () => {
    const cluster = new Cluster({ seed, speakers: 100 })
    cluster.conditions = { loss: 0.005, jitterMs: 2 }
    await cluster.boot()
    const owners = cluster.ownership.addresses.flatMap(ip => cluster.ownership.owners(ip))
    assert.ok(new Set(owners).size > 8, 'they are spread')
    const [killed, stalled, frozen] = [...new Set(owners)]
    cluster.kill(killed!)
    cluster.jump(stalled!, 3_600_000)
    cluster.freeze(stalled!, 200)
    cluster.freeze(frozen!, 2000)
    await cluster.settle()
    assert.deepEqual(cluster.judge.violations, [])
  })
