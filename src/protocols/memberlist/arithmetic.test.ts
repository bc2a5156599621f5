import assert from 'node:assert/strict'
import { test } from 'node:test'
import { healthAfter, pushPullScale, retransmitLimit, suspicionBounds, suspicionTimeoutMs } from './arithmetic.ts'
import { LAN, WAN } from './config.ts'
import { keyOf } from './key.ts'

const minOf = (config: typeof LAN, n: number) => suspicionBounds(config, config.suspicionMaxTimeoutMult, n).minMs
const timeouts = (config: typeof LAN, n: number) => {
  const bounds = suspicionBounds(config, config.suspicionMaxTimeoutMult, n)
  return Array.from({ length: bounds.k + 1 }, (_, confirmations) => suspicionTimeoutMs(bounds, confirmations))
}

test('suspicion: the table of section 4.9', () => {
  assert.deepEqual(timeouts(LAN, 3), [4000])
  assert.deepEqual(timeouts(LAN, 4), [24000, 11381, 4000])
  assert.deepEqual(timeouts(LAN, 10), [24000, 11381, 4000])
  assert.deepEqual([minOf(LAN, 20), timeouts(LAN, 20)[0]], [5204, 31224])
  assert.equal(minOf(LAN, 50), 6792)
  assert.deepEqual([minOf(LAN, 100), timeouts(LAN, 100)[0]], [8000, 48000])
  assert.deepEqual(timeouts(WAN, 5), [30000])
  assert.deepEqual(timeouts(WAN, 6), [180000, 115398, 77609, 50797, 30000])
  assert.deepEqual(
    [20, 50, 100].map(n => minOf(WAN, n)),
    [39030, 50940, 60000],
  )
})

test('broadcasts are repeated 4, 8, 12 times in clusters of up to 9, 99, 999', () => {
  assert.deepEqual(
    [1, 9, 10, 99, 100, 999].map(n => retransmitLimit(4, n)),
    [4, 4, 8, 8, 12, 12],
  )
})

test('push/pull grows rarer beyond 32 nodes', () => {
  assert.deepEqual([1, 32, 33, 64, 65, 128, 129].map(pushPullScale), [1, 1, 2, 2, 3, 3, 4])
})

test('health stays between 0 and one below its maximum', () => {
  assert.deepEqual(
    [healthAfter(0, -1, 8), healthAfter(6, 3, 8), healthAfter(3, -1, 8), healthAfter(0, 1, 1)],
    [0, 7, 2, 0],
  )
})

test('the key of a secret (section 4.5)', () => {
  const hexOf = (secret: string) => Buffer.from(keyOf(new TextEncoder().encode(secret))).toString('hex')
  assert.equal(hexOf('AAECAwQFBgcICQoLDA0ODw'), '41414543417751464267634943516f4c4441304f4477e3b0c44298fc1c149afb')
  assert.equal(
    hexOf('0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ'),
    '303132333435363738396162636465666768696a6b6c6d6e6f70717273747576',
  )
})
