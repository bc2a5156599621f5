import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzzMemberlist } from './memberlist.ts'

for (const seed of [1, 2, 3, 4])
  test(`memberlist survives damaged packets and streams, seed ${seed}`, () => {
    const { read, refused, members } = fuzzMemberlist(seed, 2000)
    assert.ok(read > 500 && refused > 500 && members > 10, `all happened: ${read} ${refused} ${members}`)
    assert.ok(members < 2500, `${members} members`)
  })
