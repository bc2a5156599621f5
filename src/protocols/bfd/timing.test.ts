import assert from 'node:assert/strict'
import { test } from 'node:test'
import { detectionTime, echoInterval, jitter, settingsOf, transmitInterval } from './index.ts'

for (const [desired, remoteMinRx, expected] of [
  [300, 250, 300],
  [50, 300, 300],
  [1000, 0.001, 1000],
  [50, 0, 'never'],
] as const)
  test(`own ${desired} ms, remote required ${remoteMinRx} ms: sends every ${expected}`, () =>
    assert.equal(transmitInterval(desired, remoteMinRx), expected))

for (const [multiplier, minRx, remoteTx, expected] of [
  [4, 300, 200, 1200],
  [3, 300, 200, 900],
  [3, 50, 1000, 3000],
] as const)
  test(`remote ×${multiplier}, own ${minRx} ms, remote ${remoteTx} ms: ${expected} ms`, () =>
    assert.equal(detectionTime(multiplier, minRx, remoteTx), expected))

for (const [multiplier, chance, expected] of [
  [3, 0, 0.75],
  [3, 0.5, 0.875],
  [2, 1, 1],
  [1, 0, 0.75],
  [1, 1, 0.9],
] as const)
  test(`×${multiplier}, chance ${chance}: after ${expected} of the interval`, () =>
    assert.equal(jitter(multiplier, chance), expected))

for (const [wanted, remote, expected] of [
  [50, 20, 50],
  [50, 100, 100],
  [50, 0, 'never'],
] as const)
  test(`echo every ${wanted} ms, remote accepts ${remote}: ${expected}`, () =>
    assert.equal(echoInterval(wanted, remote), expected))

test('what a profile leaves out is as in FRR', () => {
  assert.deepEqual(settingsOf({ name: 'empty', echoMode: false, passiveMode: false }), {
    receiveMs: 300,
    transmitMs: 300,
    multiplier: 3,
    echoMs: 50,
    echo: false,
    passive: false,
    minimumTtl: 254,
  })
})
