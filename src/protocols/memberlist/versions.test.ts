import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeState } from './message/index.ts'
import { incompatibility } from './versions.ts'

const node = (state: NodeState['state'], ...vsn: number[]): NodeState => ({
  ...{ name: 'n', addr: Uint8Array.of(10, 0, 0, 1), port: 7946, incarnation: 1, state, vsn: Uint8Array.from(vsn) },
})
const OWN = node('alive', 1, 5, 2, 0, 0, 0)

const CASES: [name: string, others: NodeState[], reason: string | undefined][] = [
  ['the same', [OWN], undefined],
  ['at the lower end', [node('alive', 2, 5, 2, 0, 0, 0)], undefined],
  ['at the upper end', [node('alive', 1, 2, 2, 0, 0, 0)], undefined],
  ['one that starts above what we speak', [node('alive', 3, 5, 3, 0, 0, 0)], 'n speaks protocol 2, not 3 to 5'],
  ['one that ends below it', [node('alive', 1, 1, 1, 0, 0, 0)], 'n speaks protocol 2, not 1 to 1'],
  ['a dead one that speaks too high', [node('dead', 1, 9, 9, 0, 0, 0)], 'n speaks protocol 9, not 1 to 5'],
  ['another delegate', [node('alive', 1, 5, 2, 1, 2, 1)], 'n speaks delegate 0, not 1 to 0'],
  ['no versions said', [node('alive')], undefined],
]
for (const [name, others, reason] of CASES)
  test(`versions, ${name}: ${reason ?? 'they can speak'}`, () => {
    assert.equal(incompatibility([OWN, ...others]), reason)
  })

test('where nobody that lives says its versions nothing is compared', () => {
  assert.equal(incompatibility([node('dead', 1, 5, 9, 0, 0, 0)]), undefined)
})
