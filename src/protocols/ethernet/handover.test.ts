import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Mac } from '../../core/ip/index.ts'
import { Handover } from './index.ts'

const MAC = '02:00:00:00:00:0a' as Mac
const OTHER = '02:00:00:00:00:0c' as Mac

/** One address awaited from one node; requests are known by their fingerprints. */
function awaiting(find: () => Mac | 'seeking' | 'gone' = () => MAC) {
  const handover = new Handover<string>(find)
  handover.await(1, 'vip', 'old', 0)
  const keep = (...fingerprints: number[]) => {
    for (const fingerprint of fingerprints) handover.keep(1, 'vip', Uint8Array.of(fingerprint), fingerprint)
  }
  const kinds = (nowMs: number) => handover.take(nowMs, 32).map(({ kind }) => kind)
  const begun = (nowMs: number) =>
    handover.take(nowMs, 32).flatMap(step => (step.kind === 'begin' ? [step.requests.map(([byte]) => byte)] : []))
  const release = (last: number, id = 0, mac = MAC) => handover.released(1, 'vip', mac, { id, last })
  return { handover, keep, kinds, begun, release }
}

const CROSSINGS: [name: string, before: number[], after: number[], last: number, left: number[]][] = [
  ['the cut is exact', [1, 2], [3, 4], 2, [3, 4]],
  ['the last one before the question reached the other after it', [1, 2], [3], 1, [2, 3]],
  ['the first one after the question reached the other before it', [1], [2, 3], 2, [3]],
  ['the other answered none of them', [1, 2], [3], 9, [1, 2, 3]],
  ['the other answered nobody', [1], [2], 0, [1, 2]],
  ['one client asks again and again', [7, 7], [7, 7, 7], 7, [7, 7, 7]],
]
for (const [name, before, after, last, left] of CROSSINGS)
  test(`${name}: ${left} are left`, () => {
    const { keep, kinds, begun, release } = awaiting()
    keep(...before)
    assert.deepEqual(kinds(0), ['poll'])
    keep(...after)
    release(last)
    keep(8) // before the next turn
    assert.deepEqual(begun(1), [[...left, 8]])
  })

test('a release by another node, or for a question never asked, changes nothing', () => {
  const { keep, kinds, begun, release } = awaiting()
  kinds(0)
  keep(1)
  release(0, 0, OTHER)
  release(0, 5)
  assert.deepEqual(begun(1), [])
  release(0)
  assert.deepEqual(begun(1), [[1]])
})

test('who is not found is sought for 0.1 s, who is gone is not waited for', () => {
  const seeking = awaiting(() => 'seeking')
  assert.deepEqual([seeking.kinds(0), seeking.kinds(99), seeking.kinds(100)], [[], [], ['begin']])
  assert.deepEqual(awaiting(() => 'gone').kinds(0), ['begin'])
})

test('five questions without an answer are enough; with answers it is waited for a second', () => {
  const silent = awaiting()
  for (let now = 0; now < 100; now += 20) assert.deepEqual(silent.kinds(now), ['poll'])
  assert.deepEqual(silent.kinds(100), ['begin'])
  const answering = awaiting()
  for (let now = 0; now < 1000; now += 20) {
    assert.deepEqual(answering.kinds(now), ['poll'])
    answering.handover.stillAnswers(1, 'vip', MAC)
  }
  assert.deepEqual(answering.kinds(1000), ['begin'])
})

test('at most 128 requests are kept for an address', () => {
  const { handover, keep, begun } = awaiting()
  keep(...Array.from({ length: 200 }, () => 1))
  handover.abandon(1, 'vip')
  assert.equal(begun(0)[0]!.length, 128)
})

test('what is kept is a copy: the caller reads the next frame into the same buffer', () => {
  const { handover, begun } = awaiting()
  const buffer = Buffer.from([1, 0])
  handover.keep(1, 'vip', buffer.subarray(0, 1), 1) // the slice of a Buffer is no copy
  buffer[0] = 2
  handover.abandon(1, 'vip')
  assert.deepEqual(begun(0), [[1]])
})

test('for the time that an address settles in it is asked for, but not to be let go', () => {
  const handover = new Handover<string>(() => MAC, 50)
  handover.await(1, 'vip', 'old', 0)
  const early = (nowMs: number) => handover.take(nowMs, 32).map(step => step.kind === 'poll' && step.isEarly)
  assert.deepEqual([0, 20, 40, 60].flatMap(early), [true, true, true, false])
})

test('of too many requests the latest are kept', () => {
  const { keep, kinds, begun, release } = awaiting()
  keep(...Array.from({ length: 200 }, (_, index) => index))
  kinds(0)
  keep(201, 202)
  release(199)
  assert.deepEqual(begun(1), [[201, 202]])
})
