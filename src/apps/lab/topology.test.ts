import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_NODES, namespacesOf, planLab } from './topology.ts'

test('no two machines of the largest lab share a namespace, an address or a MAC', () => {
  const plan = planLab('big', MAX_NODES)
  const machines = [plan.router, plan.client, ...plan.nodes]
  const values = [
    namespacesOf(plan),
    machines.map(({ address }) => address),
    machines.map(({ mac }) => mac),
    plan.nodes.map(({ mgmt }) => mgmt),
    plan.nodes.map(({ podCidr }) => podCidr),
  ]
  for (const list of values) assert.equal(new Set(list).size, list.length)
  for (const { address } of machines) assert.ok(Number(address.split('.')[3]) < 200, `${address} is left to Services`)
})

for (const [name, nodes, words] of [
  ['', 3, /lab name ''/],
  ['Lab', 3, /lower-case/],
  ['a/b', 3, /lab name 'a\/b'/],
  ['-a', 3, /lab name '-a'/],
  ['a'.repeat(21), 3, /up to 20/],
  ['lab', 0, /1 to 50 nodes, not 0/],
  ['lab', 51, /not 51/],
  ['lab', 1.5, /not 1.5/],
] as const)
  test(`refused: name '${name}', ${nodes} nodes`, () => {
    assert.throws(() => planLab(name, nodes), { name: 'RangeError', message: words })
  })
