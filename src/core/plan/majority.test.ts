import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aWorld, NODES } from '../../testing/layer2-world.ts'
import { type Admitted, admit, explainLayer2, Layer2Planner } from './index.ts'

test('IMP-6: a node that sees too few speakers announces nothing it would own; nobody else is asked instead', () => {
  const plain = aWorld()
  const world = { ...plain, minorities: new Map([['node-a', { seen: 1, expected: 3 }]]) }
  const admitted = admit(world.service, world.config) as Admitted
  const decide = (node: string) => new Layer2Planner(world).decide(admitted, node)
  const refused = decide('node-a')
  assert.deepEqual([refused.announces, refused.code], [false, 'minorityPartition'])
  assert.deepEqual(refused.reasons(), [
    {
      code: 'minorityPartition',
      message: 'node node-a sees 1 of 3 speakers, no majority: the others may answer for the service',
    },
  ])
  for (const node of ['node-b', 'node-c'])
    assert.deepEqual([decide(node).announces, decide(node).code], [false, 'notOwner'])
  const { nodes, order } = explainLayer2(world.service, world)
  assert.deepEqual(order[0], 'node-a')
  assert.deepEqual(
    nodes.slice(0, 3).map(({ reasons }) => reasons[0]!.code),
    ['minorityPartition', 'notOwner', 'notOwner'],
  )
})

test('IMP-6: where another node owns, the minority of this one is no reason', () => {
  const world = { ...aWorld(), minorities: new Map(NODES.map(node => [node, { seen: 1, expected: 3 }])) }
  const admitted = admit(world.service, world.config) as Admitted
  const { code, reasons } = new Layer2Planner(world).decide(admitted, 'node-b')
  assert.deepEqual([code, reasons().map(reason => reason.code)], ['notOwner', ['notOwner', 'electionLost']])
})
