import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzzArp } from './arp.ts'

for (const seed of [1, 2, 3, 4])
  test(`ARP survives damaged frames, seed ${seed}`, () => {
    const { answered, refused, handed } = fuzzArp(seed, 5000)
    assert.ok(answered > 100 && refused > 100 && handed > 100, `all happened: ${answered}, ${refused}, ${handed}`)
  })
