import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BROADCAST, type Mac, macFromBytes, parseAddress } from '../../core/ip/index.ts'
import { hex } from '../../testing/hex.ts'
import { type ArpPacket, decodeArp, encodeArp, REPLY, REQUEST } from './index.ts'

const client = '02:00:00:00:00:01' as Mac
const node = '02:42:ac:11:00:02' as Mac
const nobody = '00:00:00:00:00:00' as Mac
const vip = parseAddress('192.168.1.240')!
const clientIp = parseAddress('192.168.1.35')!

// Chapter 03, appendix A.1.
const cases: { name: string; packet: ArpPacket; bytes: Uint8Array }[] = [
  {
    name: 'request',
    packet: { operation: REQUEST, senderMac: client, senderIp: clientIp, targetMac: nobody, targetIp: vip },
    bytes: hex`0001 0800 06 04        # Ethernet, IPv4, 6-byte MAC, 4-byte address
               0001                   # request
               020000000001 c0a80123  # from 192.168.1.35
               000000000000 c0a801f0  # who has 192.168.1.240`,
  },
  {
    name: 'reply',
    packet: { operation: REPLY, senderMac: node, senderIp: vip, targetMac: client, targetIp: clientIp },
    bytes: hex`0001 0800 06 04
               0002                   # reply
               0242ac110002 c0a801f0  # 192.168.1.240 is here
               020000000001 c0a80123  # to 192.168.1.35`,
  },
  {
    name: 'gratuitous request',
    packet: { operation: REQUEST, senderMac: node, senderIp: vip, targetMac: BROADCAST, targetIp: vip },
    bytes: hex`0001080006040001 0242ac110002c0a801f0 ffffffffffffc0a801f0`,
  },
  {
    name: 'gratuitous reply',
    packet: { operation: REPLY, senderMac: node, senderIp: vip, targetMac: BROADCAST, targetIp: vip },
    bytes: hex`0001080006040002 0242ac110002c0a801f0 ffffffffffffc0a801f0`,
  },
  {
    name: 'operation nobody knows',
    packet: { operation: 0x1234, senderMac: client, senderIp: clientIp, targetMac: nobody, targetIp: vip },
    bytes: hex`0001080006041234 020000000001c0a80123 000000000000c0a801f0`,
  },
]
for (const { name, packet, bytes } of cases)
  test(`${name}: bytes and packet, both ways and cut anywhere`, () => {
    assert.deepEqual(encodeArp(packet), bytes)
    assert.deepEqual(decodeArp(bytes), packet)
    for (let cut = 0; cut < bytes.length; cut++)
      assert.throws(() => decodeArp(bytes.subarray(0, cut)), { code: 'TRUNCATED' })
  })

const request = cases[0]!.bytes
test('padding behind the packet is not looked at', () => {
  assert.deepEqual(decodeArp(Uint8Array.of(...request, 1, 2, 3)), cases[0]!.packet)
})

test('hardware type 6, IEEE 802, is taken as Ethernet', () => {
  assert.deepEqual(decodeArp(request.with(1, 6)), cases[0]!.packet)
})

const refusals: [what: string, place: number, value: number, offset: number][] = [
  ['another hardware type', 1, 32, 0],
  ['a hardware type above 255', 0, 1, 0],
  ['another protocol', 3, 6, 2],
  ['a longer MAC', 4, 8, 4],
  ['a longer address', 5, 16, 4],
]
for (const [what, place, value, offset] of refusals)
  test(`${what} is refused`, () =>
    assert.throws(() => decodeArp(request.with(place, value)), { code: 'MALFORMED', offset }))

test('every packet survives both ways', () => {
  const macs = fc.uint8Array({ minLength: 6, maxLength: 6 }).map(bytes => macFromBytes(bytes))
  const ips = fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map(value => ({ family: 'ipv4' as const, value }))
  const operation = fc.integer({ min: 0, max: 0xffff })
  const packets = fc.record(
    { operation, senderMac: macs, senderIp: ips, targetMac: macs, targetIp: ips },
    { noNullPrototype: true },
  )
  fc.assert(fc.property(packets, packet => assert.deepEqual(decodeArp(encodeArp(packet)), packet)))
})
