// The byte vectors of chapter 03, Appendix A: made with the Go library. Acceptance example 53.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aesGcm } from '../../adapters/system/aead.ts'
import { FakeRandom } from '../../testing/fake-random.ts'
import { hex } from '../../testing/hex.ts'
import {
  type EnvelopeOptions,
  type Keyring,
  unwrapPacket,
  unwrapStream,
  wrapPacket,
  wrapStream,
} from './envelope/index.ts'
import { PacketError } from './errors.ts'
import { decodeMessage, encodeMessage, type Message, type PushPull } from './message/index.ts'

const A = hex`0a000001`
const B = hex`0a000002`
const VSN = hex`010502000000`
const source = { sourceAddr: A, sourcePort: 7946, sourceNode: 'node-a' }
const bytesOf = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))

const PING =
  '0085a44e6f6465a66e6f64652d62a55365714e6f01aa536f7572636541646472a40a000001aa536f757263654e6f6465a66e6f64652d61aa536f75726365506f7274cd1f0a'
const SUSPECT = '0383a446726f6da66e6f64652d61ab496e6361726e6174696f6e01a44e6f6465a66e6f64652d62'
const ACK = '0282a75061796c6f6164c0a55365714e6f01'

const messages: { name: string; message: Message; bytes: string }[] = [
  { name: 'ping 1 a to b', message: { kind: 'ping', seqNo: 1, node: 'node-b', ...source }, bytes: PING },
  {
    name: 'ping 300, bare',
    message: { kind: 'ping', seqNo: 300, node: 'node-b' },
    bytes: '0082a44e6f6465a66e6f64652d62a55365714e6fcd012c',
  },
  {
    name: 'indirect ping 2',
    message: { kind: 'indirectPing', seqNo: 2, target: B, port: 7946, node: 'node-b', nack: true, ...source },
    bytes:
      '0188a44e61636bc3a44e6f6465a66e6f64652d62a4506f7274cd1f0aa55365714e6f02aa536f7572636541646472a40a000001aa536f757263654e6f6465a66e6f64652d61aa536f75726365506f7274cd1f0aa6546172676574a40a000002',
  },
  {
    name: 'indirect ping, bare',
    message: { kind: 'indirectPing', seqNo: 2, target: B, port: 7946, node: 'node-b', nack: false },
    bytes: '0185a44e61636bc2a44e6f6465a66e6f64652d62a4506f7274cd1f0aa55365714e6f02a6546172676574a40a000002',
  },
  { name: 'ack 1', message: { kind: 'ack', seqNo: 1 }, bytes: ACK },
  {
    name: 'ack 200 with payload',
    message: { kind: 'ack', seqNo: 200, payload: new TextEncoder().encode('hi') },
    bytes: '0282a75061796c6f6164a26869a55365714e6fccc8',
  },
  { name: 'nack 65536', message: { kind: 'nack', seqNo: 65536 }, bytes: '0b81a55365714e6fce00010000' },
  {
    name: 'suspect b by a',
    message: { kind: 'suspect', incarnation: 1, node: 'node-b', from: 'node-a' },
    bytes: SUSPECT,
  },
  {
    name: 'alive a',
    message: { kind: 'alive', incarnation: 1, node: 'node-a', addr: A, port: 7946, vsn: VSN },
    bytes:
      '0486a441646472a40a000001ab496e6361726e6174696f6e01a44d657461c0a44e6f6465a66e6f64652d61a4506f7274cd1f0aa356736ea6010502000000',
  },
  {
    name: 'leave of a',
    message: { kind: 'dead', incarnation: 4294967295, node: 'node-a', from: 'node-a' },
    bytes: '0583a446726f6da66e6f64652d61ab496e6361726e6174696f6eceffffffffa44e6f6465a66e6f64652d61',
  },
  { name: 'error', message: { kind: 'error', error: 'boom' }, bytes: '0d81a54572726f72a4626f6f6d' },
]

for (const { name, message, bytes } of messages)
  test(`A.3 ${name}: read and written alike, and refused at every cut`, () => {
    assert.deepEqual(encodeMessage(message), bytesOf(bytes))
    assert.deepEqual(decodeMessage(bytesOf(bytes)), message)
    for (let cut = 0; cut < bytes.length / 2; cut++)
      assert.throws(() => decodeMessage(bytesOf(bytes).subarray(0, cut)), { code: 'TRUNCATED' })
  })

test('A.3 a name of 60 bytes is a raw 16', () => {
  const written = encodeMessage({ kind: 'ping', seqNo: 1, node: 'n'.repeat(60) })
  assert.ok(
    Buffer.from(written)
      .toString('hex')
      .includes(`da003c${'6e'.repeat(60)}`),
  )
  assert.equal((decodeMessage(written) as { node: string }).node, 'n'.repeat(60))
})

const state: PushPull = {
  kind: 'pushPull',
  join: true,
  nodes: [
    { name: 'node-a', addr: A, port: 7946, incarnation: 1, state: 'alive', vsn: VSN },
    { name: 'node-b', addr: B, port: 7946, incarnation: 3, state: 'left', vsn: VSN },
  ],
}
const STATE = bytesOf(
  '0683a44a6f696ec3a54e6f64657302ac5573657253746174654c656e00' +
    '87a441646472a40a000001ab496e6361726e6174696f6e01a44d657461c0a44e616d65a66e6f64652d61a4506f7274cd1f0aa5537461746500a356736ea6010502000000' +
    '87a441646472a40a000002ab496e6361726e6174696f6e03a44d657461c0a44e616d65a66e6f64652d62a4506f7274cd1f0aa5537461746503a356736ea6010502000000',
)
const COMPRESSED_STATE = bytesOf(
  '0982a4416c676f00a3427566da0093000d0c22a5e44d1a37c34a397943a6cc1c01acaacc2923670a9d3074ca3029e306c0215241c89091434a0100000156257133268c1c3718d3bc7113805493321781917212a64d19536e189669118614943772e834fba0a094458c65008cb232c78da90005049cf408522449930004a864e912261d996e06d8c41946274f9f4085b6106314a952a64e2f661c30b5ead5ac5b0302',
)

const options = (change: Partial<EnvelopeOptions> = {}): EnvelopeOptions => ({
  label: '',
  compression: false,
  keyring: undefined,
  random: { next: () => 0, bytes: () => hex`000102030405060708090a0b` },
  ...change,
})
const KEY = bytesOf('414145434177514642676349 43516f4c4441304f4477 e3b0c44298fc1c149afb')
const ring = (key: Uint8Array, change: Partial<Keyring> = {}): Keyring => ({
  keys: [aesGcm(key)],
  verifyIncoming: true,
  sealOutgoing: true,
  ...change,
})

test('A.4 a push/pull, plain and compressed', () => {
  assert.deepEqual(encodeMessage(state), STATE)
  assert.deepEqual(decodeMessage(STATE), state)
  assert.deepEqual(wrapStream(STATE, options({ compression: true })), COMPRESSED_STATE)
  assert.deepEqual(unwrapStream(COMPRESSED_STATE, options()), STATE)
})

test('A.4 numbers above 127 are signed, as Go writes an int; a user state is passed over (59)', () => {
  const one = STATE.subarray(29, 97)
  const header = bytesOf('0683a44a6f696ec2a54e6f646573d100c8ac5573657253746174654c656ed200011170')
  const bytes = new Uint8Array([
    ...header,
    ...Array.from({ length: 200 }, () => [...one]).flat(),
    ...new Uint8Array(70000),
  ])
  const read = decodeMessage(bytes) as PushPull
  assert.deepEqual([read.nodes.length, read.join], [200, false])
  const written = encodeMessage({ ...state, join: false, nodes: Array(200).fill(state.nodes[0]) })
  assert.ok(Buffer.from(written).toString('hex').startsWith('0683a44a6f696ec2a54e6f646573d100c8'))
  assert.throws(() => decodeMessage(bytes.subarray(0, -1)), { code: 'TRUNCATED' })
})

test('A.3 compound and checksum around messages', () => {
  const compound = bytesOf(`07 02 0045 0027 ${PING} ${SUSPECT}`)
  assert.deepEqual(wrapPacket([bytesOf(PING), bytesOf(SUSPECT)], false, options()), compound)
  assert.deepEqual(unwrapPacket(compound, options()), [bytesOf(PING), bytesOf(SUSPECT)])
  const summed = bytesOf(`0c e0612233 ${PING}`)
  assert.deepEqual(wrapPacket([bytesOf(PING)], true, options()), summed)
  assert.deepEqual(unwrapPacket(summed, options()), [bytesOf(PING)])
  const spoilt = summed.slice()
  spoilt[20]! ^= 1
  assert.throws(() => unwrapPacket(spoilt, options()), { code: 'BAD_CHECKSUM' })
})

test('A.3 labels: ours is taken off, any other is refused', () => {
  const labelled = bytesOf(`f4 03 616263 ${ACK}`)
  assert.deepEqual(wrapPacket([bytesOf(ACK)], false, options({ label: 'abc' })), labelled)
  assert.deepEqual(unwrapPacket(labelled, options({ label: 'abc' })), [bytesOf(ACK)])
  for (const label of ['', 'abd', 'abcd'])
    assert.throws(() => unwrapPacket(labelled, options({ label })), { code: 'WRONG_LABEL' })
  assert.throws(() => unwrapPacket(bytesOf(ACK), options({ label: 'abc' })), { code: 'WRONG_LABEL' })
})

test('A.5 compression: only where it is smaller in packets, always on streams', () => {
  const long = new Uint8Array(32).fill(0x61)
  const packed = bytesOf('0982a4416c676f00a3427566ac00c3081c48b0a0c183040302')
  assert.deepEqual(wrapPacket([long], false, options({ compression: true })), packed)
  assert.deepEqual(unwrapPacket(packed, options()), [long])
  assert.deepEqual(wrapPacket([bytesOf(PING)], false, options({ compression: true })), bytesOf(PING))
  const larger = bytesOf(
    '0982a4416c676f00a3427566da004100011422e5e40d9932a6dc182cd3424ca92965e2140ca06aca9b3a72c6940942868c1c520a0000a06811a3c68207132e6c11a6e2c58c65a0bc9143a7d907050101',
  )
  assert.deepEqual(wrapStream(bytesOf(PING), options({ compression: true })), larger)
  assert.deepEqual(unwrapStream(larger, options()), bytesOf(PING))
})

test('A.6 encrypted packets, version 1 and 0, with a label', () => {
  const sealed = bytesOf(
    '01000102030405060708090a0b9e09402411a6c3951de8c807fe8d71bf04d269bb6610672a7dfa4bded147832e626c',
  )
  const old = bytesOf(
    '00000102030405060708090a0b9e09402411a6c3951de8c807fe8d71bf04d21c7b7ca67c11a266815c884556062cb51777652afcf1d4513e26c545c70d',
  )
  const labelled = bytesOf(
    'f4036c616201000102030405060708090a0b9e09402411a6c3951de8c807fe8d71bf04d2209c725652ae7c051ae8479f335dea16',
  )
  const keyed = options({ keyring: ring(KEY) })
  assert.deepEqual(wrapPacket([bytesOf(ACK)], false, keyed), sealed)
  assert.deepEqual(unwrapPacket(sealed, keyed), [bytesOf(ACK)])
  assert.deepEqual(unwrapPacket(old, keyed), [bytesOf(ACK)])
  assert.deepEqual(wrapPacket([bytesOf(ACK)], false, { ...keyed, label: 'lab' }), labelled)
  assert.deepEqual(unwrapPacket(labelled, { ...keyed, label: 'lab' }), [bytesOf(ACK)])
  for (let at = 0; at < sealed.length; at++) {
    const spoilt = sealed.slice()
    spoilt[at]! ^= 4
    assert.throws(() => unwrapPacket(spoilt, keyed), { code: 'BAD_KEY' })
  }
  assert.throws(() => unwrapPacket(bytesOf(ACK), keyed), PacketError)
})

test('A.6 an encrypted stream, at every cut unfinished, with another key refused', () => {
  const frame = bytesOf(
    '0a0000006d01000102030405060708090a0b950943351cb8c0fadfce7dc477e841f16ac7309096a5eb2d0ab4977e550914a141402772a539cb0f5801576578fd2e6d24c9abfb841e35b6bd0cb2b4300a5b491e252842a3f8d221c8ce4bd19b2e0f443100cc653f62f4dd4d75addf2c31c99f',
  )
  const keyed = options({ keyring: ring(KEY), compression: true })
  assert.deepEqual(wrapStream(bytesOf(PING), keyed), frame)
  assert.deepEqual(unwrapStream(frame, keyed), bytesOf(PING))
  for (let cut = 0; cut < frame.length; cut++) assert.equal(unwrapStream(frame.subarray(0, cut), keyed), undefined)
  const other = options({ keyring: ring(new Uint8Array(32)) })
  assert.throws(() => unwrapStream(frame, other), { code: 'BAD_KEY' })
  assert.throws(() => unwrapStream(frame, options()), { code: 'UNEXPECTED_ENCRYPTION' })
  assert.throws(() => unwrapStream(STATE, keyed), { code: 'NOT_ENCRYPTED' })
})

test('IMP-20 several keys open, the first seals; the steps of turning encryption on', () => {
  const [first, second] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
  const both = options({ keyring: { ...ring(first), keys: [aesGcm(first), aesGcm(second)] } })
  const bySecond = wrapPacket([bytesOf(ACK)], false, options({ keyring: ring(second) }))
  assert.deepEqual(unwrapPacket(bySecond, both), [bytesOf(ACK)])
  const byBoth = wrapPacket([bytesOf(ACK)], false, both)
  assert.deepEqual(unwrapPacket(byBoth, options({ keyring: ring(first) })), [bytesOf(ACK)])
  const relaxed = options({ keyring: ring(first, { verifyIncoming: false, sealOutgoing: false }) })
  assert.deepEqual(unwrapPacket(bytesOf(ACK), relaxed), [bytesOf(ACK)])
  assert.deepEqual(wrapPacket([bytesOf(ACK)], false, relaxed), bytesOf(ACK))
  assert.deepEqual(unwrapStream(STATE, relaxed), STATE)
})

test('IMP-21 a decompression bomb is refused before it grows', () => {
  const bomb = wrapPacket([new Uint8Array(3_000_000)], false, options({ compression: true, random: new FakeRandom() }))
  assert.ok(bomb.length < 10_000)
  assert.throws(() => unwrapPacket(bomb, options()), { code: 'TOO_LARGE' })
  assert.throws(() => unwrapPacket(bytesOf('0982a4416c676f00a3427566a3000302'), options()), PacketError)
})

test('input may use any msgpack form that fits (str 8, bin, wide integers, unknown keys, trailing bytes)', () => {
  const liberal = bytesOf(
    `00 de0003 d9044e6f6465 c4066e6f64652d62 a55365714e6f cf000000000000012c a178 92c0 81a17ac3 ffff`,
  )
  assert.deepEqual(decodeMessage(liberal), { kind: 'ping', seqNo: 300, node: 'node-b' })
  const tooLarge = bytesOf('0b81a55365714e6fcf0000000100000000')
  assert.throws(() => decodeMessage(tooLarge), { code: 'MALFORMED' })
  assert.throws(() => decodeMessage(bytesOf('0b81a55365714e6fff')), { code: 'MALFORMED' })
  assert.throws(() => decodeMessage(bytesOf(`0b81a55365714e6f${'91'.repeat(20)}01`)), { code: 'TOO_LARGE' })
  assert.throws(() => decodeMessage(bytesOf('0bdfffffffff')), { code: 'TOO_LARGE' })
  assert.throws(() => decodeMessage(bytesOf('63')), { code: 'UNKNOWN_TYPE' })
})
