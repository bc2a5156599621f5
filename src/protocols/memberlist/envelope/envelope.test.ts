import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aesGcm } from '../../../adapters/system/aead.ts'
import { FakeRandom } from '../../../testing/fake-random.ts'
import { packCompound } from './compound.ts'
import { pack } from './compression.ts'
import { SEAL_OVERHEAD, seal, unseal } from './keys.ts'
import { addLabel, labelHeaderLength } from './label.ts'
import { type EnvelopeOptions, packetBudget, unwrapPacket, wrapPacket } from './packet.ts'

const random = new FakeRandom(1)
const OPTIONS: EnvelopeOptions = { label: '', compression: false, keyring: undefined, random }
const ring = { keys: [aesGcm(new Uint8Array(32).fill(7))], verifyIncoming: true, sealOutgoing: true }
const PING = Uint8Array.from([0, 1, 2, 3])
const nothing = new Uint8Array()

/** A message in so many wrappings. */
function wrapped(times: number, how: (bytes: Uint8Array) => Uint8Array): Uint8Array {
  let bytes: Uint8Array = PING
  for (let at = 0; at < times; at++) bytes = how(bytes)
  return bytes
}

for (const [name, how] of [
  ['compound', (bytes: Uint8Array) => packCompound([bytes])],
  ['compressed', pack],
] as const)
  test(`${name}: four times is read, five times is refused`, () => {
    assert.deepEqual(unwrapPacket(wrapped(4, how), OPTIONS), [PING])
    assert.throws(() => unwrapPacket(wrapped(5, how), OPTIONS), { code: 'TOO_LARGE' })
  })

test('all parts together decompress to no more than a mebibyte', () => {
  const half = pack(new Uint8Array(512 * 1024).fill(8))
  assert.equal(unwrapPacket(packCompound([half, half]), OPTIONS).length, 2)
  assert.throws(() => unwrapPacket(packCompound([half, half, pack(PING)]), OPTIONS), { code: 'TOO_LARGE' })
})

test('a budget is what fits: a packet of messages that use it up is as large as allowed, and no byte larger', () => {
  for (const options of [OPTIONS, { ...OPTIONS, label: 'x' }, { ...OPTIONS, label: 'ten', keyring: ring }]) {
    const budget = packetBudget(1400, options)
    const parts = [new Uint8Array(600), new Uint8Array(budget - 604)] // each costs two bytes more
    assert.equal(wrapPacket(parts, false, options).length, 1400)
  }
})

test('compressed only where that is smaller', () => {
  const options = { ...OPTIONS, compression: true }
  const noise = random.bytes(100)
  noise[0] = 0
  assert.deepEqual(wrapPacket([noise], false, options), noise)
  assert.ok(wrapPacket([new Uint8Array(1000)], false, options).length < 200)
})

test('a checksum is checked, also around little; what is too short for one is a message', () => {
  for (const message of [PING, Uint8Array.of(2)]) {
    const bytes = wrapPacket([message], true, OPTIONS)
    assert.equal(bytes.length, message.length + 5)
    assert.deepEqual(unwrapPacket(bytes, OPTIONS), [message])
    bytes[bytes.length - 1]! ^= 1
    assert.throws(() => unwrapPacket(bytes, OPTIONS), { code: 'BAD_CHECKSUM' })
  }
  assert.deepEqual(unwrapPacket(Uint8Array.of(12, 0, 0, 0), OPTIONS), [Uint8Array.of(12, 0, 0, 0)])
  assert.throws(() => unwrapPacket(Uint8Array.of(12, 1, 1, 1, 1), OPTIONS), { code: 'BAD_CHECKSUM' })
})

test('a label is read when it is there whole; another one, none, or one too many is refused', () => {
  const bytes = addLabel('ab', PING)
  assert.deepEqual(
    [0, 1, 2, 3, 4, 8].map(length => labelHeaderLength(bytes.subarray(0, length))),
    [undefined, undefined, undefined, undefined, 4, 4],
  )
  assert.deepEqual(unwrapPacket(bytes, { ...OPTIONS, label: 'ab' }), [PING])
  for (const label of ['', 'a', 'ac', 'abc'])
    assert.throws(() => unwrapPacket(bytes, { ...OPTIONS, label }), { code: 'WRONG_LABEL' })
  assert.throws(() => unwrapPacket(PING, { ...OPTIONS, label: 'ab' }), { code: 'WRONG_LABEL' })
})

test('sealed, nothing at all is 29 bytes and opens; shorter is cut off; another version is no key', () => {
  const sealed = seal(ring, random, nothing, nothing)
  assert.deepEqual([sealed.length, SEAL_OVERHEAD], [29, 29])
  assert.deepEqual([...unseal(ring, sealed, nothing)], [])
  assert.throws(() => unseal(ring, sealed.subarray(0, 28), nothing), { code: 'TRUNCATED' })
  sealed[0] = 2
  assert.throws(() => unseal(ring, sealed, nothing), { code: 'BAD_KEY' })
})

test('version 0 has padding: one to sixteen bytes that say how many', () => {
  const paddedBy = (plain: number[]) => {
    const bytes = seal(ring, random, Uint8Array.from(plain), nothing)
    bytes[0] = 0
    return () => [...unseal(ring, bytes, nothing)]
  }
  assert.deepEqual(paddedBy([5, 6, 1])(), [5, 6])
  assert.deepEqual(paddedBy(Array(16).fill(16))(), [])
  for (const wrong of [[5, 0], [3, 3], Array(20).fill(17)]) assert.throws(paddedBy(wrong), { code: 'MALFORMED' })
})

test('while encryption is being turned on plain packets are read, and once it is verified no more', () => {
  const lax = { ...OPTIONS, keyring: { ...ring, verifyIncoming: false } }
  assert.deepEqual(unwrapPacket(PING, lax), [PING])
  assert.throws(() => unwrapPacket(new Uint8Array(40), { ...OPTIONS, keyring: ring }), { code: 'BAD_KEY' })
  const plain = { ...OPTIONS, keyring: { ...ring, sealOutgoing: false } }
  assert.deepEqual(wrapPacket([PING], false, plain), PING)
})
