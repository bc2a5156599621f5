import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Mac } from '../../core/ip/index.ts'
import { answered, ask, SEEK_MS, type Vigil, type VigilEnd, vigil } from './index.ts'

const MAC = '02:00:00:00:00:01' as Mac
const OTHER = '02:00:00:00:00:02' as Mac

/** Asks whenever that is due; an ask is answered at once where `answers` says so. Ends with the time of the end. */
function run(state: Vigil<string>, untilMs: number, answers: (nowMs: number) => boolean, mac = MAC) {
  const asks: number[] = []
  let now = state.askAtMs
  for (let next: Vigil<string> | VigilEnd = state; now <= untilMs; now = next.askAtMs) {
    next = ask(next, now)
    if (typeof next === 'string') return { asks, end: next, at: now }
    asks.push(now)
    if (answers(now)) next = answered(next, 'a', mac)
  }
  return { asks, end: undefined, at: now }
}

test('who never answers is looked for during 1.5 s', () => {
  const { asks, end, at } = run(vigil(['a', 'b'], 1000), 10_000, () => false)
  assert.deepEqual([end, at, asks.length], ['noEvidence', 1000 + SEEK_MS, 15])
})

test('without an address to ask for the vigil ends at once', () => {
  assert.equal(ask(vigil([], 0), 0), 'noEvidence')
})

test('whoever answers is asked every 100 ms, however long', () => {
  const { asks, end } = run(vigil(['a'], 0), 60_000, () => true)
  assert.deepEqual([end, asks.length], [undefined, 601])
})

test('death is noticed 300 to 400 ms after it', () => {
  for (let death = 1000; death < 1100; death += 10) {
    const { end, at } = run(vigil(['a'], 0), 10_000, now => now < death)
    assert.equal(end, 'unreachable')
    assert.ok(at - death >= 300 && at - death <= 400, `${at - death} ms`)
  }
})

test('four misses in a row are forgiven, five are not', () => {
  const misses = (count: number) => {
    let left = count
    return (now: number) => now < 1000 || left-- <= 0
  }
  assert.equal(run(vigil(['a'], 0), 60_000, misses(4)).end, undefined)
  assert.equal(run(vigil(['a'], 0), 60_000, misses(5)).end, 'unreachable')
})

test('who answers first is the node; for another address or from another MAC it does not answer', () => {
  const seeking = vigil(['a', 'b'], 0)
  assert.equal(answered(seeking, 'c', MAC), seeking)
  const watching = answered(seeking, 'b', MAC)
  assert.deepEqual(watching, { at: 'watching', target: 'b', mac: MAC, asked: 0, askAtMs: 0 })
  const asked = ask(watching, 0) as Vigil<string>
  assert.equal(answered(asked, 'b', OTHER), asked)
  assert.equal(answered(asked, 'a', MAC), asked)
  assert.deepEqual(answered(asked, 'b', MAC), { ...asked, asked: 0 })
})
