import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silent } from '../../ports/index.ts'
import { disabledMembership } from './index.ts'

test('membership off: every Node counts, nothing is waited for', async () => {
  const membership = disabledMembership(silent)
  await membership.whenJoined()
  assert.deepEqual([membership.members(), membership.joined], [undefined, true])
})
