import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Mac, macBytes, parseAddress } from '../../core/ip/index.ts'
import { decodeFrame, ETHERTYPE_IPV6, encodeFrame } from '../ethernet/index.ts'
import {
  ALL_NODES,
  answerNdp,
  claimedNdp,
  decodePacket,
  encodeNdp,
  encodePacket,
  gratuitousNdp,
  groupMac,
  type NdpClaims,
  type NdpMessage,
  NdpVoice,
  readFrame,
  sealPacket,
  solicitedNode,
  textOf,
} from './index.ts'

const ip = (text: string) => parseAddress(text)!.value
const VIP = ip('2001:db8::f')
const MAC = '02:42:ac:11:00:02' as Mac
const CLIENT = '02:00:00:00:00:01' as Mac
const ROUTER = '02:00:00:00:00:fe' as Mac
const eth0 = { name: 'eth0', mac: macBytes(MAC), linkLocal: ip('fe80::42:acff:fe11:2') }
const claims: NdpClaims = new Map([
  [VIP, { interfaces: 'all', slot: 0 }],
  [ip('2001:db8::10'), { interfaces: new Set(['eth1']), slot: 1 }],
])
const GROUP = solicitedNode(VIP)

interface Change {
  source?: string
  destination?: bigint
  to?: Mac
  message?: Partial<NdpMessage>
}
/** A good multicast solicitation from fe80::1, changed. */
function frame({
  source = 'fe80::1',
  destination = GROUP,
  to = groupMac(GROUP),
  message = {},
}: Change = {}): Uint8Array {
  const whole = { kind: 'solicitation', target: VIP, linkLayer: CLIENT, ...message } as NdpMessage
  const payload = encodePacket({ source: ip(source), destination, message: whole })
  return encodeFrame({ destination: to, source: ROUTER, etherType: ETHERTYPE_IPV6, payload })
}
/** The answer in words, or the reason that there is none. */
function ask(bytes: Uint8Array): string {
  const answer = answerNdp(bytes, eth0, claims)
  if (typeof answer === 'string') return answer
  const { destination, source, payload } = decodeFrame(answer)
  const packet = decodePacket(payload)
  assert.equal(source, MAC)
  assert.equal(packet.source, eth0.linkLocal)
  assert.ok(packet.message.kind === 'advertisement' && packet.message.linkLayer === MAC && !packet.message.router)
  const flags = `${packet.message.solicited ? 'S' : ''}${packet.message.override ? 'O' : ''}`
  return `${textOf(packet.message.target)} ${flags} to ${textOf(packet.destination)} at ${destination}`
}

const unicast = { destination: VIP, to: MAC }
const cases: [what: string, change: Change, answer: string][] = [
  ['a solicitation to the group', {}, `2001:db8::f SO to fe80::1 at ${CLIENT}`],
  ['a unicast one that verifies its cache', unicast, `2001:db8::f SO to fe80::1 at ${CLIENT}`],
  [
    'a unicast one that does not say its MAC',
    { ...unicast, message: { linkLayer: undefined } },
    `2001:db8::f SO to fe80::1 at ${ROUTER}`,
  ],
  ['one to the group that does not say its MAC', { message: { linkLayer: undefined } }, 'noSourceLinkLayer'],
  [
    'duplicate address detection',
    { source: '::', message: { linkLayer: undefined } },
    '2001:db8::f O to ff02::1 at 33:33:00:00:00:01',
  ],
  ['a probe that says its MAC', { source: '::' }, 'invalidProbe'],
  ['one from a group', { source: 'ff02::1' }, 'multicastSource'],
  [
    'a probe to another group',
    { source: '::', destination: ALL_NODES, message: { linkLayer: undefined } },
    'invalidProbe',
  ],
  ['one for an address nobody announces', { message: { target: ip('2001:db8::11') } }, 'announceIP'],
  ['one for an address announced elsewhere', { message: { target: ip('2001:db8::10') } }, 'notMatchInterface'],
  ['one in a frame to another host', { to: '02:00:00:00:00:09' as Mac }, 'ethernetDestination'],
  ['an advertisement', { message: { kind: 'advertisement' } }, 'notSolicitation'],
]
for (const [what, change, answer] of cases) test(`${what}: ${answer}`, () => assert.equal(ask(frame(change)), answer))

test('other frames, cut frames and damaged frames are dropped', () => {
  const good = frame()
  assert.equal(ask(good.with(13, 0)), 'malformed')
  for (let cut = 0; cut < 86; cut++) assert.equal(ask(good.subarray(0, cut)), 'truncated')
  const damage = fc.array(fc.tuple(fc.nat(85), fc.nat(255)), { maxLength: 5 })
  fc.assert(
    fc.property(damage, changes => void ask(changes.reduce((bytes, [at, value]) => bytes.with(at, value), good))),
    { numRuns: 3000 },
  )
})

test('an advertisement of an announced address is a claim, on its interfaces', () => {
  const claim = (target: bigint, name = 'eth0') =>
    claimedNdp(frame({ message: { kind: 'advertisement', target } }), { ...eth0, name }, claims)
  assert.equal(claim(VIP), VIP)
  assert.equal(claim(ip('2001:db8::10')), undefined)
  assert.equal(claim(ip('2001:db8::10'), 'eth1'), ip('2001:db8::10'))
  assert.equal(claimedNdp(frame(), eth0, claims), undefined, 'a solicitation claims nothing')
})

test('duplicate address detection for an announced address is a claim, and is answered', () => {
  const probe = (change: Change = {}) => frame({ source: '::', message: { linkLayer: undefined }, ...change })
  const claimed = (bytes: Uint8Array) => new NdpVoice().claimed(bytes, bytes.length, eth0, claims)
  assert.equal(claimed(probe()), VIP)
  assert.equal(
    claimed(
      probe({
        destination: solicitedNode(ip('2001:db8::10')),
        message: { linkLayer: undefined, target: ip('2001:db8::10') },
      }),
    ),
    undefined,
  )
  assert.equal(claimed(probe({ destination: ALL_NODES })), undefined, 'to another group it is none')
  assert.equal(claimed(probe({ message: {} })), undefined, 'with a MAC it is none')
  assert.equal(claimed(frame({ message: { linkLayer: undefined } })), undefined, 'from an address it is none')
  const bytes = probe()
  assert.equal(new NdpVoice().exchange(bytes, bytes.length, eth0).senderMAC, ROUTER, 'the frame says who')
})

test('the voice says what was asked and by whom', () => {
  const voice = new NdpVoice()
  const bytes = frame(unicast)
  const padded = Uint8Array.of(...bytes, ...new Uint8Array(100))
  assert.equal(voice.answer(padded, bytes.length, eth0, claims), 'answer')
  assert.equal(voice.asked, VIP)
  assert.deepEqual(voice.exchange(padded, bytes.length, eth0), {
    interface: 'eth0',
    ip: '2001:db8::f',
    senderIP: 'fe80::1',
    senderMAC: CLIENT,
    responseMAC: MAC,
  })
  assert.deepEqual(voice.gratuitous(0, VIP, eth0), gratuitousNdp(VIP, eth0))
})

test('groups and their frames', () => {
  assert.equal(textOf(solicitedNode(ip('2001:db8::12:3456'))), 'ff02::1:ff12:3456')
  assert.equal(groupMac(solicitedNode(ip('2001:db8::12:3456'))), '33:33:ff:12:34:56')
})

test('a node is asked for an address of its own, first among everybody and then alone, and its advertisement is the answer', () => {
  const voice = new NdpVoice()
  const target = ip('2001:db8::10')
  const sent = (to?: Mac) => readFrame(voice.question(target, eth0, to))!
  const everybody = sent()
  assert.equal(everybody.frame.destination, '33:33:ff:00:00:10')
  assert.deepEqual(everybody.packet, {
    ...{ source: eth0.linkLocal, destination: solicitedNode(target) },
    message: { kind: 'solicitation', target, linkLayer: MAC },
  })
  const alone = sent(CLIENT)
  assert.deepEqual([alone.frame.destination, alone.packet.destination], [CLIENT, target])
  const heard = frame({ message: { kind: 'advertisement', target, linkLayer: CLIENT } })
  assert.deepEqual(voice.answerer(heard, heard.length), { target, mac: CLIENT })
  const question = frame()
  assert.equal(voice.answerer(question, question.length), undefined)
})

test('in place is answered what the responder answers, and nothing else', () => {
  const texts = ['2001:db8::f', '2001:db8::10', '2001:db8::11', 'ff02::1', 'fe80::9', '::']
  const address = fc.constantFrom(...texts.map(ip))
  const mac = fc.constantFrom(MAC, CLIENT, ROUTER, groupMac(GROUP))
  const kinds = fc.constantFrom('solicitation' as const, 'advertisement' as const)
  const change = fc.option(fc.tuple(fc.nat(90), fc.nat(255)), { nil: undefined })
  const cuts = fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(90) })
  const optional = fc.option(mac, { nil: undefined })
  let answered = 0
  fc.assert(
    fc.property(kinds, address, address, address, mac, optional, change, cuts, (...given) => {
      const [kind, source, destination, target, to, linkLayer, damage, cut] = given
      const flags = { router: false, solicited: true, override: true }
      const message = { kind, target, ...(kind === 'advertisement' && flags), ...(linkLayer && { linkLayer }) }
      const payload = encodePacket({ source, destination, message: message as NdpMessage })
      const bytes = encodeFrame({ destination: to, source: ROUTER, etherType: ETHERTYPE_IPV6, payload })
      if (damage !== undefined && damage[0] < bytes.length) bytes[damage[0]] = damage[1]
      const length = cut === 0 ? bytes.length : Math.max(cut, 60)
      const voice = new NdpVoice()
      const expected = answerNdp(bytes.subarray(0, length), eth0, claims)
      const verdict = voice.answer(bytes, Math.min(length, bytes.length), eth0, claims)
      if (typeof expected === 'string') assert.equal(verdict, expected)
      else {
        answered++
        assert.equal(verdict, 'answer')
        assert.deepEqual(voice.reply, expected)
        assert.equal(voice.asked, target)
      }
      assert.equal(voice.claimed(bytes, bytes.length, eth0, claims), claimedNdp(bytes, eth0, claims))
    }),
    { numRuns: 20_000 },
  )
  assert.ok(answered > 100, `${answered} answered`)
})

test('another code is refused in place too, behind a right checksum', () => {
  const body = encodeNdp({ kind: 'solicitation', target: VIP, linkLayer: CLIENT })
  body[1] = 1
  const payload = sealPacket({ source: ip('fe80::1'), destination: GROUP, body })
  const bytes = encodeFrame({ destination: groupMac(GROUP), source: ROUTER, etherType: ETHERTYPE_IPV6, payload })
  assert.equal(new NdpVoice().answer(bytes, bytes.length, eth0, claims), 'code')
})

test('an announcement in place is the one that the responder makes', () => {
  const voice = new NdpVoice()
  for (const text of ['2001:db8::f', 'fd00::ffff:ffff:ffff:ffff', 'ffff:ffff:ffff:ffff::'])
    assert.deepEqual(voice.gratuitous(0, ip(text), eth0), gratuitousNdp(ip(text), eth0))
})
