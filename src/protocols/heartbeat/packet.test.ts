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
  intervalMs: 100,
  silent: ['node-b', 'c'],
  interfaces: ['eth0', 'br,d'],
}
const bytes = hex`
  4d4c4842                                  # "MLHB"
  03                                        # version
  15                                        # joining, respond, publishes
  06 02                                     # length of the name, count of silent nodes
  0102030405060708                          # boot
  f1f2f3f4f5f6f7f8                          # your boot
  0000000100000002                          # sequence
  0064                                      # interval
  02 00                                     # count of interfaces
  6e6f64652d61                              # node-a
  06 6e6f64652d62                           # node-b is silent
  01 63                                     # c is silent
  04 65746830                               # eth0 is usable
  04 62722c64                               # br,d is usable`

test('a plain heartbeat, both ways', () => {
  assert.deepEqual(encodeHeartbeat(packet), bytes)
  assert.deepEqual(decodeHeartbeat(bytes), packet)
})

test('who is held says so in a bit of its own, and another does not', () => {
  const held = encodeHeartbeat({ ...packet, held: true })
  assert.deepEqual(held, withByte(5, 0x35))
  assert.deepEqual(decodeHeartbeat(held), { ...packet, held: true })
  assert.deepEqual(encodeHeartbeat({ ...packet, held: false }), bytes)
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
  ['another version', 'UNKNOWN_VERSION', withByte(4, 2)],
  ['a name longer than the packet', 'TRUNCATED', withByte(6, 80)],
  ['a silent node too many', 'TRUNCATED', withByte(7, 3)],
  ['the name of a silent node longer than the packet', 'TRUNCATED', withByte(49, 2)],
  ['bytes after the names', 'MALFORMED', withByte(34, 1)],
  ['an interface too many', 'TRUNCATED', withByte(34, 3)],
  ['an interface with a slash', 'BAD_NAME', withByte(55, 0x2f)],
  ['an interface of a node that publishes none', 'MALFORMED', withByte(5, 0x05)],
  ['a sequence no sender reaches (found by fuzzing)', 'MALFORMED', withByte(24, 0xf6)],
  ['no name', 'BAD_NAME', withByte(34, 0, withByte(7, 0, withByte(6, 0))).subarray(0, 36)],
  ['a name with a capital', 'BAD_NAME', withByte(36, 0x4e)],
  ['a name with a line break', 'BAD_NAME', withByte(37, 0x0a)],
  ['a silent node with a capital', 'BAD_NAME', withByte(43, 0x4e)],
  ['too much', 'OVERSIZED', new Uint8Array(1222)],
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
      intervalMs: fc.nat(65535),
      silent: fc.array(names, { maxLength: 20 }),
      interfaces: fc.option(fc.array(fc.stringMatching(/^[!-.0-~]{1,15}$/), { maxLength: 10 }), { nil: undefined }),
    },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(heartbeats, flag, (heartbeat, sealed) => {
      const hmac = sealed ? key : undefined
      const keys = hmac === undefined ? [] : [other, hmac]
      assert.deepEqual(decodeHeartbeat(encodeHeartbeat(heartbeat, hmac), ...keys), heartbeat)
    }),
  )
})

test('silent nodes that find no room are left out', () => {
  const many = Array.from({ length: 200 }, (_, index) => `node-${index}`)
  const { silent } = decodeHeartbeat(encodeHeartbeat({ ...packet, silent: many }))
  assert.ok(silent.length > 80 && silent.length < 200)
  assert.deepEqual(silent, many.slice(0, silent.length))
})

test('no usable interface is something else than none published', () => {
  for (const interfaces of [[], undefined])
    assert.deepEqual(decodeHeartbeat(encodeHeartbeat({ ...packet, interfaces })).interfaces, interfaces)
})

test('interfaces take their room from silent nodes, and a packet stays below any MTU', () => {
  const silent = Array.from({ length: 200 }, (_, index) => `node-${index}`)
  const interfaces = Array.from({ length: 30 }, (_, index) => `interface-${index}`)
  const bytes = encodeHeartbeat({ ...packet, silent, interfaces }, key)
  assert.ok(bytes.length <= 1280 - 48, `${bytes.length} bytes and the headers of IPv6 and UDP`)
  assert.deepEqual(decodeHeartbeat(bytes, key).interfaces, interfaces)
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
  assert.throws(() => decodeHeartbeat(given, ...(hmac ? [hmac] : [])), { name: 'HeartbeatError', code })
}

function withByte(index: number, value: number, of = bytes): Uint8Array {
  const changed = of.slice()
  changed[index] = value
  return changed
}
