import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzzHeartbeat } from './heartbeat.ts'

for (const seed of [1, 2, 3, 4])
  test(`heartbeats survive damaged packets, seed ${seed}`, () => {
    const { read, refused, peers } = fuzzHeartbeat(seed, 5000)
    assert.ok(read > 500 && refused > 500 && peers > 10, `all happened: ${read} ${refused} ${peers}`)
  })
