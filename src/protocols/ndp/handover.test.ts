import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Mac, macBytes, parseAddress } from '../../core/ip/index.ts'
import { hex } from '../../testing/hex.ts'
import { handover } from './handover.ts'
import { NdpVoice, readFrame, textOf } from './index.ts'

const VIP = parseAddress('2001:db8::f')!.value
const OLD = '02:00:00:00:00:0a' as Mac
const NEW = '02:00:00:00:00:0b' as Mac
const on = (mac: Mac) => ({
  name: 'eth0',
  mac: macBytes(mac),
  linkLocal: parseAddress(`fe80::${mac.slice(-2)}`)!.value,
})

const poll = hex`
  02000000000a 02000000000b 86dd             # from the successor to the one that leaves
  60000000 0028 3a ff                        # 40 bytes of ICMPv6, hop limit 255
  fe80000000000000000000000000000b
  ff0200000000000000000001ff00000f           # the group of the address
  87 00 f9de 00000000                        # solicitation
  20010db800000000000000000000000f           # for 2001:db8::f
  01 01 02000000000b                         # from this MAC
  fd 01 4d48 07 000000                       # experiment, "MH", question 7`
const release = hex`
  02000000000b 02000000000a 86dd
  60000000 0038 3a ff
  fe80000000000000000000000000000a
  ff0200000000000000000001ff00000f
  88 00 c4db 00000000                        # advertisement, neither router, solicited nor override
  fe80000000000000000000000000000a           # of its own address
  02 01 02000000000a                         # at its own MAC
  fd 03 4d48 07 123456                       # "MH", since question 7; answered last was 123456
  20010db800000000000000000000000f           # 2001:db8::f is yours`

test('the question: bytes and values, both ways; to others it is a solicitation', () => {
  assert.deepEqual(handover.poll(VIP, OLD, { id: 7, isEarly: false }, on(NEW)), poll)
  assert.deepEqual(handover.pollOf(poll, poll.length), { id: 7, isEarly: false, from: NEW })
  const early = handover.poll(VIP, OLD, { id: 8, isEarly: true }, on(NEW))
  assert.deepEqual(early.subarray(88), hex`4d48 08 000001`)
  assert.deepEqual(handover.pollOf(early, early.length), { id: 8, isEarly: true, from: NEW })
  const claims = new Map([[VIP, { interfaces: 'all', slot: 0 } as const]])
  assert.equal(new NdpVoice().answer(poll, poll.length, on(OLD), claims), 'answer')
})

test('the answer: bytes and values, both ways; to others its sender advertises itself', () => {
  assert.deepEqual(handover.release(VIP, NEW, { id: 7, last: 0x123456 }, on(OLD)), release)
  assert.deepEqual(handover.releaseOf(release, release.length), { key: VIP, from: OLD, id: 7, last: 0x123456 })
  const { message } = readFrame(release)!.packet
  assert.ok(message.kind === 'advertisement')
  assert.deepEqual([textOf(message.target), message.linkLayer, message.override], ['fe80::a', OLD, false])
})

test('the highest numbers survive', () => {
  const highest = { id: 255, last: 0xffffff }
  const frame = handover.release(VIP, NEW, highest, on(OLD))
  assert.deepEqual(handover.releaseOf(frame, frame.length), { key: VIP, from: OLD, ...highest })
})

const OPTION = 86
const others: [what: string, change: (frame: Uint8Array) => Uint8Array][] = [
  ['another option', frame => frame.with(OPTION, 254)],
  ['another length', frame => frame.with(OPTION + 1, 2)],
  ['another mark', frame => frame.with(OPTION + 3, 0)],
  ['another type', frame => frame.with(54, 134)],
  ['no IPv6', frame => frame.with(13, 0)],
]
for (const [what, change] of others)
  test(`${what} says nothing of a hand-over`, () => {
    assert.equal(handover.pollOf(change(poll), poll.length), undefined)
    assert.equal(handover.releaseOf(change(release), release.length), undefined)
  })

test('neither is taken for the other, and cut anywhere both are nothing', () => {
  assert.equal(handover.releaseOf(poll, poll.length), undefined)
  assert.equal(handover.pollOf(release, release.length), undefined)
  for (let cut = 0; cut < release.length; cut++) assert.equal(handover.releaseOf(release, cut), undefined)
  for (let cut = 0; cut < poll.length; cut++) assert.equal(handover.pollOf(poll, cut), undefined)
})

test('an answer with a wrong checksum, or that a router passed on, is none', () => {
  assert.equal(handover.releaseOf(release.with(109, 0), release.length), undefined)
  assert.equal(handover.releaseOf(release.with(21, 254), release.length), undefined)
})

test('requesters are told apart by MAC and address, and nothing else', () => {
  const print = (frame: Uint8Array) => handover.fingerprint(frame, frame.length)
  for (const place of [6, 11, 22, 37]) assert.notEqual(print(poll.with(place, 0x77)), print(poll))
  for (const place of [0, 38, 60, 80]) assert.equal(print(poll.with(place, 0x77)), print(poll))
  assert.ok(print(poll) > 0 && print(poll) <= 0xffffff)
})
