import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzzBfd } from './bfd.ts'

for (const seed of [1, 2, 3, 4])
  test(`BFD survives damaged packets, seed ${seed}`, () => {
    const { read, refused, changes, sent } = fuzzBfd(seed, 5000)
    const all = `${read} ${refused} ${changes} ${sent}`
    assert.ok(read > 500 && refused > 500 && changes > 50 && sent > 500, `all happened: ${all}`)
  })
