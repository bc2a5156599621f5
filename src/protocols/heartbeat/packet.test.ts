import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hmacSha256 } from '../../adapters/system/hmac.ts'
import { hex } from '../../testing/hex.ts'
import { decodeHeartbeat, encodeHeartbeat, type Heartbeat, HeartbeatError } from './index.ts'

const key = hmacSha256(new TextEncoder().encode('secret'))
const other = hmacSha256(new TextEncoder().encode('another'))

const packet: Heartbeat = {
  node: 'node-a',
  boot: 0x0102030405060708n,
  yourBoot: 0xf1f2f3f4f5f6f7f8n,
  sequence: 0x1_0000_0002,
  joining: true,
  leaving: false,
  respond: true,
}
const bytes = hex`
  4d4c4842                                  # "MLHB"
  01                                        # version
  05                                        # joining, respond
  06 00                                     # length of the name
  0102030405060708                          # boot
  f1f2f3f4f5f6f7f8                          # your boot
  0000000100000002                          # sequence
  6e6f64652d61                              # node-a`

test('a plain heartbeat, both ways', () => {
  assert.deepEqual(encodeHeartbeat(packet), bytes)
  assert.deepEqual(decodeHeartbeat(bytes), packet)
})

test('an authenticated heartbeat is read with its key only', () => {
  const sealed = encodeHeartbeat(packet, key)
  assert.equal(sealed.length, bytes.length + 32)
  assert.deepEqual(decodeHeartbeat(sealed, key), packet)
  refuses('BAD_HMAC', sealed, other)
  refuses('UNEXPECTED_HMAC', sealed)
  refuses('NOT_AUTHENTICATED', bytes, key)
})

test('cut at any place it is refused', () => {
  for (let cut = 0; cut < bytes.length; cut++) refuses('TRUNCATED', bytes.subarray(0, cut))
  const sealed = encodeHeartbeat(packet, key)
  for (let cut = 0; cut < sealed.length; cut++)
    assert.throws(() => decodeHeartbeat(sealed.subarray(0, cut), key), HeartbeatError)
})

test('any single changed bit of an authenticated heartbeat is noticed', () => {
  const sealed = encodeHeartbeat(packet, key)
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = sealed.slice()
    changed[bit >> 3]! ^= 1 << (bit & 7)
    assert.throws(() => decodeHeartbeat(changed, key), HeartbeatError, `bit ${bit}`)
  }
})

const REFUSED: [name: string, code: string, bytes: Uint8Array][] = [
  ['nothing', 'TRUNCATED', new Uint8Array()],
  ['another protocol', 'FOREIGN', withByte(0, 0x4e)],
  ['a later version', 'UNKNOWN_VERSION', withByte(4, 2)],
  ['a name longer than the packet', 'TRUNCATED', withByte(6, 7)],
  ['bytes after the name', 'MALFORMED', withByte(6, 5)],
  ['a sequence no sender reaches (found by fuzzing)', 'MALFORMED', withByte(24, 0xf6)],
  ['no name', 'BAD_NAME', withByte(6, 0).subarray(0, 32)],
  ['a name with a capital', 'BAD_NAME', withByte(32, 0x4e)],
  ['a name with a line break', 'BAD_NAME', withByte(33, 0x0a)],
  ['too much', 'OVERSIZED', new Uint8Array(318)],
]
for (const [name, code, given] of REFUSED) test(`${name}: ${code}`, () => refuses(code, given))

test('every heartbeat comes back as it was', () => {
  const names = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/)
  const boots = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
  const flag = fc.boolean()
  const heartbeats = fc.record(
    {
      node: names,
      boot: boots,
      yourBoot: boots,
      sequence: fc.maxSafeNat(),
      joining: flag,
      leaving: flag,
      respond: flag,
    },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(heartbeats, flag, (heartbeat, sealed) => {
      const hmac = sealed ? key : undefined
      assert.deepEqual(decodeHeartbeat(encodeHeartbeat(heartbeat, hmac), hmac), heartbeat)
    }),
  )
})

test('random bytes are refused with a code', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (noise, headed) => {
      if (headed) noise.set(bytes.subarray(0, Math.min(noise.length, 8)))
      try {
        decodeHeartbeat(noise)
      } catch (error) {
        assert.ok(error instanceof HeartbeatError, String(error))
      }
    }),
  )
})

function refuses(code: string, given: Uint8Array, hmac?: typeof key): void {
  assert.throws(() => decodeHeartbeat(given, hmac), { name: 'HeartbeatError', code })
}

function withByte(index: number, value: number): Uint8Array {
  const changed = bytes.slice()
  changed[index] = value
  return changed
}
