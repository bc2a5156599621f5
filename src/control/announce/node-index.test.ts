import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeResource } from '../../api/index.ts'
import { NodeIndex } from './node-index.ts'

const node = (labels: Record<string, string>, unschedulable = false): NodeResource => ({
  metadata: { name: 'worker-a', labels },
  spec: { unschedulable },
})

// Chapter 03 section 1.6, and what drains a node.
for (const [name, before, after, moves] of [
  ['nothing', node({}), node({}), false],
  ['a label of no concern', node({}), node({ rack: 'a' }), false],
  ['drained', node({}), node({ 'metallb.io/drain': '' }), true],
  ['drained no more', node({ 'metallb.io/drain': '' }), node({}), true],
  ['cordoned, which may drain', node({}), node({}, true), true],
  ['excluded', node({}), node({ 'node.kubernetes.io/exclude-from-external-load-balancers': '' }), true],
] as const)
  test(`whether a change of a node can move announcements: ${name}`, () => {
    const index = new NodeIndex()
    index.apply({ kind: 'added', object: before })
    assert.equal(index.apply({ kind: 'updated', before, object: after }), moves)
  })
