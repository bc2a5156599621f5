/** Many speakers on the real membership and a simulated network: who answers for an address, at every moment. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cluster, type ClusterOptions, play, scenarioOf, textOf } from './index.ts'

/** Short scenarios of chance; `node src/testing/cluster/campaign.ts` plays as many as wished, and one again. */
const SEEDS = Array.from({ length: 16 }, (_, n) => n + 1)

async function running(options: Partial<ClusterOptions> = {}): Promise<Cluster> {
  const cluster = new Cluster({ seed: 1, speakers: 8, ...options })
  cluster.conditions = { loss: 0.005, jitterMs: 2 }
  await cluster.boot()
  await cluster.calm()
  assert.deepEqual(cluster.judge.violations, [])
  cluster.judge.longest.nobody = 0
  cluster.judge.longest.several = 0
  return cluster
}

for (const seed of SEEDS)
  test(`seed ${seed}: crashes, freezes, cuts and their ends keep every invariant`, async () => {
    const scenario = scenarioOf(seed)
    const { violations } = await play(scenario)
    assert.deepEqual(violations, [], `\n${textOf(scenario)}\n`)
  })

test('the same seed is the same history', async () => {
  const [one, other] = [await play(scenarioOf(7)), await play(scenarioOf(7))]
  assert.deepEqual(one, other)
  assert.ok(one.packets > 500)
})

for (const speakers of [3, 5, 12])
  test(`${speakers} speakers: kill -9 of an owner leaves no answer for less than 700 ms, five times`, async () => {
    const cluster = await running({ speakers })
    for (let round = 0; round < 5; round++) {
      const [owner] = cluster.ownership.owners(cluster.ownership.addresses[round]!)
      cluster.kill(owner!)
      await cluster.settle(700)
      await cluster.start(owner!)
      await cluster.settle()
      await cluster.run(1000)
    }
    assert.deepEqual(cluster.judge.violations, [])
    assert.ok(cluster.judge.longest.nobody < 700, `${cluster.judge.longest.nobody} ms`)
    assert.ok(cluster.judge.longest.nobody > 200, 'no takeover without evidence')
  })

test('two speakers: the other one takes over, though nobody confirms', async () => {
  const cluster = await running({ speakers: 2 })
  cluster.kill('node-000')
  await cluster.settle()
  assert.deepEqual(cluster.judge.violations, [])
})

for (const loss of [0.01, 0.05])
  test(`${loss * 100} % loss, duplicates, overtaking, stalls of 200 ms, wall clocks that jump: for 20 s nothing moves`, async () => {
    const cluster = await running()
    cluster.conditions = { loss, duplicate: 0.02, reorder: 0.05, delayMs: 2, jitterMs: 10 }
    await cluster.run(2000)
    for (let round = 0; round < 10; round++) {
      cluster.freeze(cluster.names[round % 8]!, 200)
      cluster.jump(cluster.names[(round * 3) % 8]!, (round - 5) * 1e7)
      await cluster.quiet(2000)
    }
    assert.deepEqual(cluster.judge.violations, [])
  })

test('one broken path is no death: in neither direction anything moves, for longer than heartbeats are trusted', async () => {
  const cluster = await running()
  for (const both of [true, false]) {
    const [owner] = cluster.ownership.owners(cluster.ownership.addresses[0]!)
    cluster.cut([owner!], [cluster.names.find(name => name !== owner)!], both)
    await cluster.quiet(12_000)
    cluster.heal()
    await cluster.quiet(3000)
  }
  assert.deepEqual(cluster.judge.violations, [])
})

test('a healed partition has one owner within two seconds, and no owner it does not need moves', async () => {
  for (const smaller of [1, 2, 4]) {
    const cluster = await running()
    cluster.partition(cluster.names.slice(0, smaller))
    await cluster.settle()
    cluster.heal()
    await cluster.settle(2000)
    assert.deepEqual(cluster.judge.violations, [], `${smaller} of 8`)
  }
})

test('a rolling restart: at no moment nobody answers, and several no longer than a hand-over takes', async () => {
  const cluster = await running()
  cluster.conditions = { loss: 0, jitterMs: 2 }
  for (const node of cluster.names) {
    cluster.leave(node)
    await cluster.settle()
    await cluster.start(node)
    await cluster.settle()
  }
  assert.deepEqual(cluster.judge.violations, [])
  assert.equal(cluster.judge.longest.nobody, 0)
  assert.ok(cluster.judge.longest.several < 500, `${cluster.judge.longest.several} ms`)
})

test('a speaker whose configuration is there at once joins first all the same, and claims after', async () => {
  const cluster = await running()
  cluster.conditions = { delayMs: 30, jitterMs: 5 }
  const [owner] = cluster.ownership.owners(cluster.ownership.addresses[0]!)
  cluster.kill(owner!)
  await cluster.settle()
  await cluster.start(owner!, 0)
  await cluster.settle()
  assert.deepEqual(cluster.judge.violations, [])
})

test('while the API is away announcements and failover go on', async () => {
  const cluster = await running()
  cluster.kube.fail = () => {
    throw new Error('the API is away')
  }
  cluster.kill(cluster.ownership.owners(cluster.ownership.addresses[0]!)[0]!)
  await cluster.settle()
  assert.deepEqual(cluster.judge.violations, [])
})

test('IMP-6: with the majority rule the smaller side stops as fast as the larger takes over, and resumes', async () => {
  for (const smaller of [['node-003'], ['node-001', 'node-002', 'node-003'], ['node-000', 'node-001', 'node-002']]) {
    const cluster = await running({ speakers: 7, majority: true })
    cluster.partition(smaller)
    await cluster.run(700)
    assert.equal(cluster.expectation.wrongOwner(), undefined)
    cluster.kube.fail = () => {
      throw new Error('the API is away')
    }
    await cluster.run(12_000) // memberlist gives the others up meanwhile
    assert.deepEqual(
      [cluster.expectation.wrongOwner(), cluster.judge.violations],
      [undefined, []],
      `${smaller} cut off`,
    )
    cluster.heal()
    await cluster.settle(2000)
    assert.deepEqual(cluster.judge.violations, [], `${smaller} healed`)
  }
})

test('IMP-6: of two halves the one with the lowest name goes on; crashes count as a cut does', async () => {
  const cluster = await running({ speakers: 4, majority: true })
  cluster.partition(['node-000', 'node-003'])
  await cluster.settle()
  assert.equal(cluster.wrong(), undefined)
  cluster.heal()
  await cluster.settle()
  cluster.kill('node-001')
  await cluster.settle()
  cluster.kill('node-000')
  await cluster.settle()
  assert.deepEqual(
    cluster.ownership.addresses.flatMap(ip => cluster.ownership.owners(ip)),
    [],
  )
  await cluster.start('node-000')
  await cluster.settle()
  assert.equal(cluster.wrong(), undefined)
})
