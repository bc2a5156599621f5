import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BROADCAST, type Mac, macBytes, macFromBytes } from '../../core/ip/index.ts'
import { hex } from '../../testing/hex.ts'
import { decodeFrame, ETHERTYPE_ARP, encodeFrame } from '../ethernet/index.ts'
import { decodeArp, encodeArp, REPLY, REQUEST } from './packet.ts'
import { answer, answeredIp, type Claims, claimed, type DropReason, writeGratuitous } from './responder.ts'

const VIP = 0xc0a801f0 | 0 // 192.168.1.240
const ELSEWHERE = 0xc0a801f1 | 0 // 192.168.1.241, only on eth1
const MAC = '02:42:ac:11:00:02' as Mac
const eth0 = { name: 'eth0', mac: macBytes(MAC), linkLocal: undefined }
const claims: Claims = new Map([
  [VIP, { interfaces: 'all', slot: 0 }],
  [ELSEWHERE, { interfaces: new Set(['eth1']), slot: 1 }],
])

// Chapter 03, appendix A.1.
const request = hex`ffffffffffff 020000000001 0806 0001080006040001 020000000001c0a80123 000000000000c0a801f0 ${'00'.repeat(18)}`
const reply = hex`020000000001 0242ac110002 0806 0001080006040002 0242ac110002c0a801f0 020000000001c0a80123 ${'00'.repeat(18)}`
const gratuitousRequest = hex`ffffffffffff 0242ac110002 0806 0001080006040001 0242ac110002c0a801f0 ffffffffffffc0a801f0 ${'00'.repeat(18)}`
const gratuitousReply = hex`ffffffffffff 0242ac110002 0806 0001080006040002 0242ac110002c0a801f0 ffffffffffffc0a801f0 ${'00'.repeat(18)}`

const ask = (frame: Uint8Array, responder = eth0) => {
  const into = new Uint8Array(60).fill(0xee)
  const verdict = answer(frame, frame.length, responder, claims, into)
  return verdict === 'answer' ? into : verdict
}
const patch = (at: number, ...bytes: number[]) => {
  const frame = request.slice()
  frame.set(bytes, at)
  return frame
}

test('a request is answered to the byte', () => {
  assert.deepEqual(ask(request), reply)
  assert.equal(answeredIp(reply), VIP)
})

test('a frame without padding is answered too', () => assert.deepEqual(ask(request.subarray(0, 42)), reply))

test('a unicast request to this interface is answered', () => assert.deepEqual(ask(patch(0, ...eth0.mac)), reply))

test('the answer goes to the hardware address in the packet, not to the source of the frame', () => {
  assert.deepEqual(ask(patch(6, 2, 9, 9, 9, 9, 9)), reply)
})

test('a probe, which has no sender address, is answered and so defends the address (RFC 5227 section 2.1.1)', () => {
  const answered = ask(patch(28, 0, 0, 0, 0))
  assert.ok(answered instanceof Uint8Array)
  assert.deepEqual(answered.subarray(38, 42), new Uint8Array(4))
})

test('a tagged frame is answered untagged', () => {
  assert.deepEqual(ask(Uint8Array.of(...request.subarray(0, 12), 0x81, 0, 0, 100, ...request.subarray(12))), reply)
})

test('an address announced only elsewhere is answered there with the MAC of that interface', () => {
  const eth1 = { ...eth0, name: 'eth1', mac: hex`0242ac110003` }
  const answered = ask(patch(41, 0xf1), eth1)
  assert.ok(answered instanceof Uint8Array)
  assert.deepEqual(answered.subarray(22, 32), hex`0242ac110003 c0a801f1`)
})

const drops: [what: string, frame: Uint8Array, reason: DropReason][] = [
  ['a reply', patch(21, REPLY), 'notRequest'],
  ['a reverse request', patch(21, 3), 'notRequest'],
  ['an operation above 255', patch(20, 1), 'notRequest'],
  ['a request to another host', patch(0, 2, 0, 0, 0, 0, 9), 'ethernetDestination'],
  ['a request to a multicast group', patch(0, 1, 0, 0x5e, 0, 0, 1), 'ethernetDestination'],
  ['a request for an address nobody announces', patch(41, 0xff), 'announceIP'],
  ['a request for an address announced elsewhere', patch(41, 0xf1), 'notMatchInterface'],
  ['another frame type', patch(12, 0x86, 0xdd), 'malformed'],
  ['another hardware type', patch(15, 32), 'malformed'],
  ['another protocol', patch(17, 6), 'malformed'],
  ['another address length', patch(19, 16), 'malformed'],
  ['an empty frame', new Uint8Array(0), 'malformed'],
]
for (const [what, frame, reason] of drops) test(`${what}: ${reason}`, () => assert.equal(ask(frame), reason))

test('a frame cut anywhere is dropped', () => {
  for (let cut = 0; cut < 42; cut++) assert.equal(ask(request.subarray(0, cut)), 'malformed')
})

test('bytes behind the length are those of an older frame and not looked at', () => {
  assert.equal(answer(request, 41, eth0, claims, new Uint8Array(60)), 'malformed')
})

test('gratuitous frames, to the byte', () => {
  const into = new Uint8Array(60).fill(0xee)
  writeGratuitous(REQUEST, eth0.mac, VIP, into)
  assert.deepEqual(into, gratuitousRequest)
  writeGratuitous(REPLY, eth0.mac, VIP, into.fill(0xee))
  assert.deepEqual(into, gratuitousReply)
})

test('whoever sends from an announced address claims it, in requests and replies', () => {
  const claim = (frame: Uint8Array, name = 'eth0') => claimed(frame, frame.length, { ...eth0, name }, claims)
  assert.equal(claim(gratuitousRequest), VIP)
  assert.equal(claim(gratuitousReply), VIP)
  assert.equal(claim(request), undefined)
  assert.equal(claim(patch(28, 0, 0, 0, 0)), undefined, 'a probe')
  assert.equal(claim(patch(31, 0xf1)), undefined, '192.168.1.241 is announced on eth1 only')
  assert.equal(claim(patch(28, 0xc0, 0xa8, 0x01, 0xf1), 'eth1'), ELSEWHERE)
})

/** What `answer` does, said with the codecs. */
function plainAnswer(bytes: Uint8Array): Uint8Array | DropReason {
  try {
    const frame = decodeFrame(bytes)
    if (frame.etherType !== ETHERTYPE_ARP) return 'malformed'
    const { operation, targetIp, senderMac, senderIp } = decodeArp(frame.payload)
    if (operation !== REQUEST) return 'notRequest'
    if (frame.destination !== BROADCAST && frame.destination !== MAC) return 'ethernetDestination'
    const claim = claims.get(Number(targetIp.value) | 0)
    if (claim === undefined) return 'announceIP'
    if (claim.interfaces !== 'all' && !claim.interfaces.has('eth0')) return 'notMatchInterface'
    const packet = { operation: REPLY, senderMac: MAC, senderIp: targetIp, targetMac: senderMac, targetIp: senderIp }
    return encodeFrame({ destination: senderMac, source: MAC, etherType: ETHERTYPE_ARP, payload: encodeArp(packet) })
  } catch {
    return 'malformed'
  }
}

test('the fast path does what the codecs say', () => {
  const pick = <T>(...values: T[]) => fc.constantFrom(...values)
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
  const near = fc.record({
    destination: pick(macBytes(BROADCAST), eth0.mac, hex`020000000009`),
    source: bytes(6),
    tags: pick(hex``, hex`8100 0064`, hex`88a8 0001 8100 0064`),
    type: pick(hex`0806`, hex`0806`, hex`0806`, hex`86dd`),
    head: pick(hex`0001 0800 0604`, hex`0001 0800 0604`, hex`0006 0800 0604`, hex`0001 0800 0610`, hex`0101 0800 0604`),
    operation: pick(hex`0001`, hex`0001`, hex`0002`, hex`0101`),
    sender: bytes(10),
    targetMac: bytes(6),
    target: pick(hex`c0a801f0`, hex`c0a801f1`, hex`c0a801f2`),
    padding: fc.uint8Array({ maxLength: 20 }),
  })
  const frames = near.map(parts => Uint8Array.from(Object.values(parts).flatMap(part => [...part])))
  const seen = new Set<string>()
  fc.assert(
    fc.property(fc.oneof({ weight: 9, arbitrary: frames }, { weight: 1, arbitrary: fc.uint8Array() }), frame => {
      const plain = plainAnswer(frame)
      seen.add(typeof plain === 'string' ? plain : `answer to ${macFromBytes(plain, 6)}`)
      assert.deepEqual(ask(frame), plain)
    }),
    { numRuns: 3000 },
  )
  assert.equal(seen.size, 6, `every outcome was seen: ${[...seen]}`)
})
