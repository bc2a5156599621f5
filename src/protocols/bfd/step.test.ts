import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LivenessState } from '../../ports/index.ts'
import { step } from './index.ts'

/** Chapter 04 section 5.4: what a local state becomes, with the diagnostic where it is set; `-` where nothing changes. */
const table: Record<LivenessState, Record<LivenessState | 'expired' | 'echo', string>> = {
  adminDown: { adminDown: '-', down: '-', init: '-', up: '-', expired: '-', echo: '-' },
  down: { adminDown: '-', down: 'init', init: 'up 0', up: '-', expired: '-', echo: '-' },
  init: { adminDown: 'down 3', down: '-', init: 'up 0', up: 'up 0', expired: 'down 1', echo: '-' },
  up: { adminDown: 'down 3', down: 'down 3', init: '-', up: '-', expired: 'down 1', echo: 'down 2' },
}

for (const [local, row] of Object.entries(table) as [LivenessState, Record<string, string>][])
  for (const [event, expected] of Object.entries(row))
    test(`${local}, ${event}: ${expected}`, () => {
      const input =
        event === 'expired'
          ? ('detection time expired' as const)
          : event === 'echo'
            ? ('echo failed' as const)
            : { received: event as LivenessState }
      const next = step(local, input)
      const text = next === undefined ? '-' : [next.state, next.diagnostic].filter(part => part !== undefined).join(' ')
      assert.equal(text, expected)
    })

test('AdminDown of the neighbor is told apart from Down: only one of them is a reason for distrust', () => {
  assert.equal(step('up', { received: 'adminDown' })?.cause, 'neighborAdminDown')
  assert.equal(step('up', { received: 'down' })?.cause, 'neighborDown')
})
