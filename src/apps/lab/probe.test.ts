import assert from 'node:assert/strict'
import { test } from 'node:test'
import { longestGap } from './probe.ts'

const answer = (ended: number) => ({ sent: ended - 1, ended, body: 'pod=web' })
const failure = (ended: number) => ({ sent: ended - 200, ended, body: '', error: 'no answer within 200 ms' })

for (const [name, attempts, gap] of [
  ['no attempts', [], undefined],
  ['a single answer', [answer(5)], undefined],
  ['failures only', [failure(5), failure(9)], undefined],
  ['steady answers', [answer(0), answer(20), answer(41), answer(60)], { from: 20, to: 41, ms: 21 }],
  [
    'an outage',
    [answer(0), answer(20), failure(300), failure(320), answer(900), answer(920)],
    { from: 20, to: 900, ms: 880 },
  ],
  ['answers out of order', [answer(50), answer(0), answer(10)], { from: 10, to: 50, ms: 40 }],
] as const)
  test(`longest time without an answer: ${name}`, () => assert.deepEqual(longestGap([...attempts]), gap))
