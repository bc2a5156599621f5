import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Mac } from '../../core/ip/index.ts'
import { hex } from '../../testing/hex.ts'
import { decodeFrame, ETHERTYPE_ARP, encodeFrame, MINIMUM_FRAME, payloadOffset } from './index.ts'

const destination = 'ff:ff:ff:ff:ff:ff' as Mac
const source = '02:00:00:00:00:01' as Mac
const payload = Uint8Array.from({ length: 46 }, (_, index) => index)
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

const frames = [
  { name: 'untagged', tags: 0, bytes: hex`ffffffffffff 020000000001 0806 ${text(payload)}` },
  { name: 'in a VLAN', tags: 1, bytes: hex`ffffffffffff 020000000001 8100 0064 0806 ${text(payload)}` },
  { name: 'in two VLANs', tags: 2, bytes: hex`ffffffffffff 020000000001 88a8 0001 8100 0064 0806 ${text(payload)}` },
]
for (const { name, tags, bytes } of frames) {
  test(`a frame ${name} is read`, () => {
    assert.deepEqual(decodeFrame(bytes), { destination, source, etherType: ETHERTYPE_ARP, payload })
    assert.equal(payloadOffset(bytes, bytes.length, ETHERTYPE_ARP), 14 + 4 * tags)
    assert.equal(payloadOffset(bytes, bytes.length, 0x86dd), -1)
  })

  test(`a frame ${name} cut inside its header is refused`, () => {
    for (let cut = 0; cut < 14 + 4 * tags; cut++) {
      assert.throws(() => decodeFrame(bytes.subarray(0, cut)), { code: 'TRUNCATED' })
      assert.equal(payloadOffset(bytes, cut, ETHERTYPE_ARP), -1)
    }
  })
}

test('a short payload is padded to the minimum frame, a long one is kept', () => {
  const short = encodeFrame({ destination, source, etherType: ETHERTYPE_ARP, payload: payload.subarray(0, 28) })
  assert.equal(short.length, MINIMUM_FRAME)
  assert.deepEqual(short.subarray(14, 42), payload.subarray(0, 28))
  assert.deepEqual(short.subarray(42), new Uint8Array(18))
  assert.equal(encodeFrame({ destination, source, etherType: ETHERTYPE_ARP, payload: new Uint8Array(100) }).length, 114)
})

test('an untagged frame survives both ways', () => {
  const etherTypes = fc.integer({ min: 0, max: 0xffff }).filter(type => type !== 0x8100 && type !== 0x88a8)
  fc.assert(
    fc.property(etherTypes, fc.uint8Array({ minLength: 46 }), (etherType, payload) => {
      const frame = { destination, source, etherType, payload }
      assert.deepEqual(decodeFrame(encodeFrame(frame)), frame)
    }),
  )
})
