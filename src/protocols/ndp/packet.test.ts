import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Mac, macFromBytes, parseAddress } from '../../core/ip/index.ts'
import { hex } from '../../testing/hex.ts'
import { decodeNdp, decodePacket, encodePacket, type NdpMessage, type NdpPacket } from './index.ts'

const ip = (text: string) => parseAddress(text)!.value
const VIP = ip('2001:db8::f')
const NODE = '02:42:ac:11:00:02' as Mac
const fromNode = { kind: 'advertisement', target: VIP, router: false, linkLayer: NODE } as const

// Chapter 03, appendix A.2; the IPv6 headers are ours.
const cases: { name: string; packet: NdpPacket; bytes: Uint8Array }[] = [
  {
    name: 'solicitation',
    packet: {
      source: ip('fe80::1'),
      destination: ip('ff02::1:ff00:f'),
      message: { kind: 'solicitation', target: VIP, linkLayer: '02:00:00:00:00:01' as Mac },
    },
    bytes: hex`60000000 0020 3a ff                    # IPv6, 32 bytes follow, ICMPv6, hop limit 255
               fe800000000000000000000000000001
               ff0200000000000000000001ff00000f       # the solicited-node group
               87 00 4b45 00000000                    # type, code, checksum, reserved
               20010db800000000000000000000000f       # target
               01 01 020000000001                     # source link-layer address`,
  },
  {
    name: 'solicited advertisement without override',
    packet: {
      source: ip('fe80::42:acff:fe11:2'),
      destination: ip('fe80::1'),
      message: { ...fromNode, solicited: true, override: false },
    },
    bytes: hex`60000000 0020 3aff fe80000000000000 0042acfffe110002 fe800000000000000000000000000001
               8800b12d40000000 20010db800000000000000000000000f 02010242ac110002`,
  },
  {
    name: 'solicited advertisement with override',
    packet: {
      source: ip('fe80::42:acff:fe11:2'),
      destination: ip('fe80::1'),
      message: { ...fromNode, solicited: true, override: true },
    },
    bytes: hex`60000000 0020 3aff fe80000000000000 0042acfffe110002 fe800000000000000000000000000001
               8800912d60000000 20010db800000000000000000000000f 02010242ac110002`,
  },
  {
    name: 'gratuitous advertisement',
    packet: {
      source: ip('fe80::42:acff:fe11:2'),
      destination: ip('ff02::1'),
      message: { ...fromNode, solicited: false, override: true },
    },
    bytes: hex`60000000 0020 3aff fe80000000000000 0042acfffe110002 ff020000000000000000000000000001
               8800d0ab20000000 20010db800000000000000000000000f 02010242ac110002`,
  },
  {
    name: 'duplicate address detection',
    packet: { source: 0n, destination: ip('ff02::1:ff00:f'), message: { kind: 'solicitation', target: VIP } },
    bytes: hex`60000000 0018 3aff 00000000000000000000000000000000 ff0200000000000000000001ff00000f
               87004cd100000000 20010db800000000000000000000000f`,
  },
]
for (const { name, packet, bytes } of cases)
  test(`${name}: bytes and packet, both ways and cut anywhere`, () => {
    assert.deepEqual(encodePacket(packet), bytes)
    assert.deepEqual(decodePacket(bytes), packet)
    assert.deepEqual(decodePacket(Uint8Array.of(...bytes, 1, 2)), packet, 'with padding')
    for (let cut = 0; cut < bytes.length; cut++)
      assert.throws(() => decodePacket(bytes.subarray(0, cut)), { code: 'TRUNCATED' })
  })

const solicitation = cases[0]!.bytes
const refusals: [what: string, place: number, value: number, message: RegExp][] = [
  ['another IP version', 0, 0x40, /IP version 4/],
  ['another next header', 6, 17, /next header 17/],
  ['a packet that was routed', 7, 254, /hop limit 254/],
  ['a wrong checksum', 42, 0, /checksum/],
  ['another source, which the checksum covers', 20, 1, /checksum/],
]
for (const [what, place, value, message] of refusals)
  test(`${what} is refused`, () =>
    assert.throws(() => decodePacket(solicitation.with(place, value)), { code: 'MALFORMED', message }))

const body = solicitation.subarray(40)
const bodies: [what: string, bytes: Uint8Array, message: RegExp][] = [
  ['another type', body.with(0, 133), /type 133/],
  ['a code', body.with(1, 1), /code 1/],
  ['a multicast target', body.with(8, 0xff), /multicast target/],
  ['an option of no length', body.with(25, 0), /option of length 0/],
]
for (const [what, bytes, message] of bodies)
  test(`a message with ${what} is refused`, () => assert.throws(() => decodeNdp(bytes), { code: 'MALFORMED', message }))

test('options of other kinds are skipped, and lengths we do not know are not addresses', () => {
  const nonce = hex`0e01 010203040506`
  const long = hex`0102 0000000000000000000000000000`
  const message = decodeNdp(Uint8Array.of(...body.subarray(0, 24), ...nonce, ...long, ...body.subarray(24)))
  assert.deepEqual(message, cases[0]!.packet.message)
  assert.deepEqual(decodeNdp(Uint8Array.of(...body.subarray(0, 24), ...long)), { kind: 'solicitation', target: VIP })
})

test('every packet survives both ways', () => {
  const addresses = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n })
  const unicast = addresses.filter(address => address >> 120n !== 0xffn)
  const linkLayer = fc.uint8Array({ minLength: 6, maxLength: 6 }).map(bytes => macFromBytes(bytes))
  const plain = { noNullPrototype: true, requiredKeys: ['kind', 'target', 'router', 'solicited', 'override'] } as const
  const flags = { router: fc.boolean(), solicited: fc.boolean(), override: fc.boolean() }
  const messages: fc.Arbitrary<NdpMessage> = fc.oneof(
    fc.record(
      { kind: fc.constant('solicitation' as const), target: unicast, linkLayer },
      { ...plain, requiredKeys: ['kind', 'target'] },
    ),
    fc.record(
      { kind: fc.constant('advertisement' as const), target: unicast, ...flags, linkLayer },
      { ...plain, requiredKeys: [...plain.requiredKeys] },
    ),
  )
  fc.assert(
    fc.property(unicast, addresses, messages, (source, destination, message) => {
      const packet = { source, destination, message }
      const bytes = encodePacket(packet)
      const isAnswerToGroup = message.kind === 'advertisement' && message.solicited && destination >> 120n === 0xffn
      if (isAnswerToGroup) assert.throws(() => decodePacket(bytes), { reason: 'solicitedToGroup' })
      else assert.deepEqual(decodePacket(bytes), packet)
    }),
  )
})
