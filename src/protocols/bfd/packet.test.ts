import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hex } from '../../testing/hex.ts'
import { type ControlPacket, decodeControl, decodeEcho, encodeControl, encodeEcho } from './index.ts'

const first: ControlPacket = {
  diagnostic: 0,
  state: 'down',
  poll: false,
  final: false,
  controlPlaneIndependent: false,
  demand: false,
  detectMultiplier: 3,
  myDiscriminator: 0x0a0b0c0d,
  yourDiscriminator: 0,
  desiredMinTx: 1_000_000,
  requiredMinRx: 300_000,
  requiredMinEchoRx: 0,
}
const known = { ...first, yourDiscriminator: 0x01020304 }
const bytes = hex`
  20                                        # version 1, no diagnostic
  40                                        # state Down, no flags
  03 18                                     # detection multiplier, length
  0a0b0c0d 00000000                         # my and your discriminator
  000f4240 000493e0 00000000                # desired TX, required RX, required echo RX in microseconds`

// Chapter 04, acceptance 89 to 91, 93, 96; FRR 8.4 decodes these
const packets: [name: string, packet: ControlPacket, bytes: Uint8Array][] = [
  ['the first packet', first, bytes],
  ['Init', { ...known, state: 'init' }, hex`20 80 03 18 0a0b0c0d 01020304 000f4240 000493e0 00000000`],
  [
    'Up with Poll',
    { ...known, state: 'up', poll: true, desiredMinTx: 300_000 },
    hex`20 e0 03 18 0a0b0c0d 01020304 000493e0 000493e0 00000000`,
  ],
  [
    'Up with Final',
    { ...known, state: 'up', final: true, desiredMinTx: 300_000 },
    hex`20 d0 03 18 0a0b0c0d 01020304 000493e0 000493e0 00000000`,
  ],
  ['Down, diagnostic 1', { ...first, diagnostic: 1 }, hex`21 40 03 18 0a0b0c0d 00000000 000f4240 000493e0 00000000`],
  [
    'AdminDown, diagnostic 7',
    { ...known, state: 'adminDown', diagnostic: 7 },
    hex`27 00 03 18 0a0b0c0d 01020304 000f4240 000493e0 00000000`,
  ],
  [
    'every other flag, a reserved diagnostic, echo',
    { ...known, diagnostic: 31, state: 'up', controlPlaneIndependent: true, demand: true, requiredMinEchoRx: 50_000 },
    hex`3f ca 03 18 0a0b0c0d 01020304 000f4240 000493e0 0000c350`,
  ],
]
for (const [name, packet, written] of packets)
  test(`${name}, both ways and cut at every place`, () => {
    assert.deepEqual(encodeControl(packet), written)
    assert.deepEqual(decodeControl(written), packet)
    for (let cut = 0; cut < written.length; cut++)
      assert.throws(() => decodeControl(written.subarray(0, cut)), { name: 'BfdError', code: 'TRUNCATED' })
  })

// RFC 5880 section 6.8.6, in its order; acceptance 98
const refused: [name: string, code: string, change: [at: number, byte: number][]][] = [
  ['version 2', 'VERSION', [[0, 0x40]]],
  ['version 0', 'VERSION', [[0, 0]]],
  ['length 23', 'LENGTH', [[3, 23]]],
  [
    'authenticated with length 25',
    'LENGTH',
    [
      [1, 0x44],
      [3, 25],
    ],
  ],
  ['length beyond the datagram', 'TRUNCATED', [[3, 25]]],
  ['detection multiplier 0', 'DETECT_MULTIPLIER', [[2, 0]]],
  ['multipoint', 'MULTIPOINT', [[1, 0x41]]],
  [
    'my discriminator 0',
    'MY_DISCRIMINATOR',
    [
      [4, 0],
      [5, 0],
      [6, 0],
      [7, 0],
    ],
  ],
  ['your discriminator 0 in state Init', 'YOUR_DISCRIMINATOR', [[1, 0x80]]],
  ['your discriminator 0 in state Up', 'YOUR_DISCRIMINATOR', [[1, 0xc0]]],
]
for (const [name, code, change] of refused)
  test(`${name}: ${code}`, () => {
    const changed = bytes.slice()
    for (const [at, byte] of change) changed[at] = byte
    assert.throws(() => decodeControl(changed), { name: 'BfdError', code })
  })

test('authentication is refused where none is configured', () => {
  const authenticated = hex`20 44 03 1a 0a0b0c0d 00000000 000f4240 000493e0 00000000 01 02`
  assert.throws(() => decodeControl(authenticated), { code: 'AUTHENTICATED' })
})

test('bytes behind the length are not looked at', () => {
  assert.deepEqual(decodeControl(Uint8Array.of(...bytes, 1, 2, 3)), first)
})

const u32 = fc.integer({ min: 0, max: 0xffffffff })
const anyPacket = fc.record(
  {
    diagnostic: fc.integer({ min: 0, max: 31 }),
    state: fc.constantFrom('adminDown', 'down', 'init', 'up'),
    poll: fc.boolean(),
    final: fc.boolean(),
    controlPlaneIndependent: fc.boolean(),
    demand: fc.boolean(),
    detectMultiplier: fc.integer({ min: 1, max: 255 }),
    myDiscriminator: fc.integer({ min: 1, max: 0xffffffff }),
    yourDiscriminator: fc.integer({ min: 1, max: 0xffffffff }),
    desiredMinTx: u32,
    requiredMinRx: u32,
    requiredMinEchoRx: u32,
  },
  { noNullPrototype: true },
)
test('every packet comes back as it was', () => {
  fc.assert(fc.property(anyPacket, packet => assert.deepEqual(decodeControl(encodeControl(packet)), packet)))
})

test('echo packets, both ways, cut and foreign', () => {
  const echo = { discriminator: 0x0a0b0c0d, sequence: 0xfffffffe }
  const written = hex`4d4c4245 0a0b0c0d fffffffe   # "MLBE", discriminator, sequence`
  assert.deepEqual(encodeEcho(echo), written)
  assert.deepEqual(decodeEcho(written), echo)
  for (let cut = 0; cut < written.length; cut++)
    assert.throws(() => decodeEcho(written.subarray(0, cut)), { code: 'TRUNCATED' })
  assert.throws(() => decodeEcho(new Uint8Array(12)), { code: 'FOREIGN' })
})
