import { test } from 'node:test'
import { FakeRandom } from '../../src/testing/fake-random.ts'
import { fuzzMessages, fuzzSession, mutate, SEEDS, WIRES } from './bgp.ts'

const ROUNDS = Number(process.env.FUZZ_ROUNDS ?? 20_000)

test('the seeds are good', () => {
  for (const seed of SEEDS) fuzzMessages(seed, WIRES[0]!)
})

test('changed messages are read or refused, and what is read survives', () => {
  const random = new FakeRandom(1)
  for (let round = 0; round < ROUNDS; round++) fuzzMessages(mutate(random), WIRES[round % WIRES.length]!)
})

test('noise is refused', () => {
  const random = new FakeRandom(2)
  for (let round = 0; round < ROUNDS / 10; round++) fuzzMessages(random.bytes(19 + (round % 100)), WIRES[0]!)
})

test('a peer that sends changed messages never brings a session out of order', async () => {
  const random = new FakeRandom(3)
  for (let round = 0; round < ROUNDS / 100; round++) {
    const pieces = Array.from({ length: 5 }, () => mutate(random))
    await fuzzSession(pieces, round % 4 !== 0, random)
  }
})
