import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Mac, macFromBytes, parseAddress } from '../../core/ip/index.ts'
import { hex } from '../../testing/hex.ts'
import { DecodeError } from '../bytes/index.ts'
import { decodeFrame, encodeFrame } from '../ethernet/index.ts'
import { decodeRouterPacket, encodeRouterPacket, groupMac, RouterDiscovery, type RouterPacket } from './index.ts'

const ip = (text: string) => parseAddress(text)!.value
const NODE = { mac: '02:42:ac:11:00:02' as Mac, address: ip('fe80::42:acff:fe11:2') }
const ROUTER = ip('fe80::1')
const ROUTER_MAC = '02:00:00:00:00:01' as Mac
const ALL = ip('ff02::1')

// Chapter 04 section 6.13: 24 bytes with the option; checksums as `python3 -c` over the pseudo header gives them.
const ADVERTISEMENT: RouterPacket = {
  source: NODE.address,
  destination: ALL,
  message: { kind: 'router advertisement', hopLimit: 64, lifetime: 0, linkLayer: NODE.mac },
}
const ADVERTISEMENT_BYTES = hex`
  60000000 0018 3aff fe80000000000000 0042acfffe110002 ff020000000000000000000000000001
  86 00 e17b 40 00 0000 00000000 00000000 0101 0242ac110002`
const SOLICITATION: RouterPacket = {
  source: NODE.address,
  destination: ip('ff02::2'),
  message: { kind: 'router solicitation', linkLayer: NODE.mac },
}
const SOLICITATION_BYTES = hex`
  60000000 0010 3aff fe80000000000000 0042acfffe110002 ff020000000000000000000000000002
  85 00 2283 00000000 0101 0242ac110002`

for (const [name, packet, bytes] of [
  ['advertisement', ADVERTISEMENT, ADVERTISEMENT_BYTES],
  ['solicitation', SOLICITATION, SOLICITATION_BYTES],
] as const)
  test(`router ${name}: bytes and packet, both ways and cut anywhere`, () => {
    assert.deepEqual(encodeRouterPacket(packet), bytes)
    assert.deepEqual(decodeRouterPacket(bytes), packet)
    for (let cut = 0; cut < bytes.length; cut++)
      assert.throws(() => decodeRouterPacket(bytes.subarray(0, cut)), DecodeError, `${cut}`)
  })

test('every router message comes back as it was', () => {
  const mac = fc.uint8Array({ minLength: 6, maxLength: 6 }).map(macFromBytes)
  const linkLayer = fc.option(mac, { nil: undefined }).map(one => (one === undefined ? {} : { linkLayer: one }))
  const host = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }).map(low => ip('fe80::') | low)
  const advertisement = fc
    .tuple(fc.nat(255), fc.nat(65_535), linkLayer)
    .map(([hopLimit, lifetime, option]): RouterPacket['message'] => ({
      kind: 'router advertisement',
      hopLimit,
      lifetime,
      ...option,
    })) // prettier-ignore
  const solicitation = linkLayer.map((option): RouterPacket['message'] => ({ kind: 'router solicitation', ...option }))
  fc.assert(
    fc.property(host, fc.oneof(advertisement, solicitation), (source, message) => {
      const packet = { source, destination: ALL, message }
      assert.deepEqual(decodeRouterPacket(encodeRouterPacket(packet)), packet)
    }),
  )
})

const from = (source: string, change: Partial<RouterPacket> = {}) =>
  encodeRouterPacket({ ...ADVERTISEMENT, source: ip(source), ...change })

const DISCARDED: [why: RegExp, bytes: Uint8Array][] = [
  [/hop limit 254/, changed(ADVERTISEMENT_BYTES, 7, 254)],
  [/wrong ICMPv6 checksum/, changed(ADVERTISEMENT_BYTES, 44, 65)],
  [/not link-local/, from('2001:db8::1')],
  [/a link-layer address, but no source/, encodeRouterPacket({ ...SOLICITATION, source: 0n })],
  [/next header 6/, changed(ADVERTISEMENT_BYTES, 6, 6)],
]
for (const [why, bytes] of DISCARDED)
  test(`discarded: ${why.source}`, () => {
    assert.throws(() => decodeRouterPacket(bytes), { name: 'DecodeError', code: 'MALFORMED', message: why })
  })

test('the rhythm: asks once, says at once, four times after a second, then every ten', () => {
  const discovery = new RouterDiscovery(NODE, 0)
  const said: string[] = []
  for (let ms = 0; ms <= 30_000; ms += 100)
    for (const frame of discovery.tick(ms)) {
      const { destination, source, payload } = decodeFrame(frame)
      const { message } = decodeRouterPacket(payload)
      assert.equal(source, NODE.mac)
      assert.equal(destination, groupMac(decodeRouterPacket(payload).destination))
      said.push(`${ms / 1000} ${message.kind.split(' ')[1]}`)
      if (message.kind === 'router advertisement') assert.equal(message.lifetime, 0)
    }
  const rounds = [0, 1, 2, 3, 4, 14, 24].map(seconds => `${seconds} advertisement`)
  assert.deepEqual(said, ['0 solicitation', ...rounds])
})

test('who asks is answered at once, and a flood of questions twice a second', () => {
  const discovery = new RouterDiscovery(NODE, 0)
  for (let ms = 0; ms <= 5000; ms += 100) discovery.tick(ms)
  const question = frameOf({ ...SOLICITATION, source: ROUTER })
  let answers = 0
  for (let ms = 5100; ms < 7100; ms += 10) {
    discovery.receive(question, ms)
    answers += discovery.tick(ms).length
    if (ms === 5100) assert.equal(answers, 1)
  }
  assert.equal(answers, 4)
})

test('routers are those that were heard lately, never ourselves, and not a flood of them', () => {
  const discovery = new RouterDiscovery(NODE, 0)
  discovery.receive(frameOf(ADVERTISEMENT), 0)
  assert.deepEqual(discovery.routers, [])
  discovery.receive(frameOf({ ...ADVERTISEMENT, source: ROUTER }), 0)
  discovery.tick(34_000)
  assert.deepEqual(discovery.routers, [ROUTER])
  discovery.tick(35_000)
  assert.deepEqual(discovery.routers, [])
  discovery.receive(frameOf({ ...ADVERTISEMENT, source: ROUTER }), 36_000)
  discovery.receive(frameOf({ ...ADVERTISEMENT, source: ip('fe80::2') }), 40_000)
  assert.deepEqual(discovery.routers, [ROUTER, ip('fe80::2')])
  discovery.tick(47_000)
  assert.equal(discovery.routers.length, 2)
  discovery.tick(48_000)
  assert.deepEqual(discovery.routers, [ip('fe80::2')], 'one took the place of the other')
  for (let host = 10n; host < 100n; host++)
    discovery.receive(frameOf({ ...ADVERTISEMENT, source: ip('fe80::') | host }), 49_000)
  assert.equal(discovery.routers.length, 8)
})

function frameOf(packet: RouterPacket): Uint8Array {
  const payload = encodeRouterPacket(packet)
  return encodeFrame({ destination: groupMac(packet.destination), source: ROUTER_MAC, etherType: 0x86dd, payload })
}

function changed(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = bytes.slice()
  copy[at] = value
  return copy
}
