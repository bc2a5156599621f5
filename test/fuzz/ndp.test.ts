import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzzNdp } from './ndp.ts'

for (const seed of [1, 2, 3, 4])
  test(`neighbor and router messages survive damage, seed ${seed}`, () => {
    const { read, refused } = fuzzNdp(seed, 5000)
    assert.ok(read > 300 && refused > 500, `both happened: ${read} ${refused}`)
  })
