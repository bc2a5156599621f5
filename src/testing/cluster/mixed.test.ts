/** Speakers of the reference and ours in one cluster: all elect the same, each by what it is told. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cluster, type ClusterOptions } from './index.ts'

async function mixed(change: Partial<ClusterOptions> = {}): Promise<Cluster> {
  const cluster = new Cluster({ seed: 1, speakers: 6, references: 3, ...change })
  cluster.conditions = { loss: 0.005, jitterMs: 2 }
  await cluster.boot()
  await cluster.calm()
  assert.deepEqual(cluster.judge.violations, [])
  return cluster
}

const [OURS, THEIRS] = ['node-001', 'node-002']

for (const seed of [1, 2, 3])
  test(`seed ${seed}: crashes and planned stops of either kind, and their return, leave one owner that all agree on`, async () => {
    const cluster = await mixed({ seed })
    for (const node of [OURS, THEIRS])
      for (const end of ['kill', 'crash', 'leave'] as const) {
        cluster.judge.longest.nobody = 0
        cluster[end](node)
        await cluster.settle()
        if (node === THEIRS && end === 'kill')
          assert.ok(cluster.judge.longest.nobody > 5000, 'it had as long to answer as with the reference')
        await cluster.start(node)
        await cluster.settle()
        await cluster.calm()
      }
    assert.deepEqual(cluster.judge.violations, [])
  })

test('where nothing happens nothing moves for a minute: who sends no heartbeats and keeps LAN timing is not missed', async () => {
  const cluster = await mixed()
  await cluster.quiet(60_000)
  assert.deepEqual(cluster.judge.violations, [])
})

test('60 a speaker of the reference that is back within two seconds, with its name and address, left for nobody', async () => {
  const cluster = await mixed()
  cluster.crash(THEIRS)
  await cluster.run(1700)
  await cluster.start(THEIRS)
  await cluster.run(30_000)
  assert.deepEqual(cluster.leaves, [])
  assert.equal(cluster.wrong(), undefined)
  assert.deepEqual(cluster.judge.violations, [])
})

test('a single speaker of ours among reference speakers, and a single one of theirs among ours', async () => {
  for (const [speakers, references] of [
    [3, 1],
    [4, 2],
    [2, 1],
  ] as const) {
    const cluster = await mixed({ speakers, references })
    cluster.kill('node-000')
    await cluster.settle()
    await cluster.start('node-000')
    await cluster.settle()
    cluster.kill('node-001')
    await cluster.settle()
    assert.deepEqual(cluster.judge.violations, [], `${references} of ${speakers}`)
  }
})

/** Cuts both kinds from each other, and heals: then all have to agree again. */
async function healed(cluster: Cluster, withinMs: number): Promise<void> {
  cluster.partition(cluster.names.filter(node => cluster.isReference(node)))
  await cluster.settle()
  cluster.heal()
  await cluster.settle(withinMs)
}

for (const seed of [1, 2, 3])
  test(`seed ${seed}: a partition between both kinds heals in two seconds: ours look for the others`, async () => {
    const cluster = await mixed({ seed })
    cluster.conditions = { jitterMs: 2 } // nothing is lost
    await healed(cluster, 2000)
    assert.deepEqual(cluster.judge.violations, [])
  })

for (const seed of [1, 31])
  test(`seed ${seed}: what a lost packet keeps from a reference speaker it hears with its next push/pull, every 30 s`, async () => {
    const cluster = await mixed({ seed })
    await healed(cluster, 33_000)
    assert.equal(cluster.wrong(), undefined) // until then it may answer beside the owner
  })

test('IMP-25: a node without its interface stays the owner, as with reference speakers alone: not all publish theirs', async () => {
  const cluster = await mixed({ interfaces: ['eth0'] })
  const owners = cluster.ownership.addresses.map(ip => cluster.ownership.owners(ip).join())
  const [node] = owners.filter(owner => !cluster.isReference(owner))
  const changes = cluster.ownership.changes.length
  cluster.carrier(node!, 'eth0', false)
  await cluster.run(5000)
  const after = cluster.ownership.changes.slice(changes).filter(({ gains }) => gains)
  assert.deepEqual(after, [], 'nobody else takes over what it was elected for')
})
