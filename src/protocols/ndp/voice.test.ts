import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Mac, parseAddress } from '../../core/ip/index.ts'
import type { NetworkInterface, Random } from '../../ports/index.ts'
import { FakeLink } from '../../testing/fake-link.ts'
import { COUNTERS, ETHERTYPE_IPV6, encodeFrame, RECEIVED, SENT, Station } from '../ethernet/index.ts'
import {
  ALL_NODES,
  encodeNdp,
  groupMac,
  type NdpDropReason,
  type NdpMessage,
  NdpVoice,
  sealPacket,
  solicitedNode,
} from './index.ts'

const ip = (text: string) => parseAddress(text)!.value
const VIP = ip('2001:db8::f')
const GROUP = solicitedNode(VIP)
const CLIENT = '02:00:00:00:00:01' as Mac
const middling: Random = { next: () => 0.5, bytes: length => new Uint8Array(length) }
const link: NetworkInterface = {
  ...{ index: 1, name: 'eth0', mac: '02:42:ac:11:00:02' as Mac },
  ...{ up: true, carrier: true, broadcast: true, noArp: false },
  addresses: [{ address: parseAddress('fe80::42:acff:fe11:2')!, length: 64 }],
}

/** One station that answers for 2001:db8::f on eth0 and for 2001:db8::10 on eth1, which it has not. */
function station() {
  const counts = new Uint32Array(2 * COUNTERS)
  const { left, right } = FakeLink.pair()
  const answering = new Station<bigint, FakeLink>({
    ...{ voice: new NdpVoice(), open: () => left, excluded: () => false, report: () => {}, verbose: false },
    ...{ counts, refreshMs: 0, random: middling },
  })
  answering.setInterfaces([link], 0)
  answering.change(
    [
      [VIP, { interfaces: 'all', slot: 0 }],
      [ip('2001:db8::10'), { interfaces: new Set(['eth1']), slot: 1 }],
    ],
    [],
    0,
  )
  const hear = (frame: Uint8Array) => answering.receive(1, frame, frame.length)
  const ignored = () => answering.takeIgnored().map(({ reasons }) => Object.fromEntries(reasons))
  return { hear, ignored, answered: () => right.receive(new Uint8Array(256)) > 0, counts }
}

interface Change {
  source?: string
  destination?: bigint
  to?: Mac
  message?: Partial<NdpMessage>
  /** Of the ICMPv6 body, before its checksum is worked out. */
  body?: (bytes: Uint8Array) => Uint8Array
}
/** A good solicitation of fe80::1 for 2001:db8::f, changed. */
function frame({ source = 'fe80::1', destination = GROUP, to, message = {}, body = bytes => bytes }: Change = {}) {
  const whole = { kind: 'solicitation', target: VIP, linkLayer: CLIENT, ...message } as NdpMessage
  const payload = sealPacket({ source: ip(source), destination, body: body(encodeNdp(whole)) })
  return encodeFrame({ destination: to ?? groupMac(GROUP), source: CLIENT, etherType: ETHERTYPE_IPV6, payload })
}

/** Every reason; the type holds it complete. Places: IPv6 begins at 14, ICMPv6 at 54. */
const DROPS: Record<NdpDropReason, Uint8Array> = {
  malformed: frame().with(14, 0x40),
  truncated: frame().with(19, 255), // the IPv6 length promises more than there is
  hopLimit: frame().with(21, 254),
  checksum: frame().with(56, 0x55),
  code: frame({ body: bytes => bytes.with(1, 1) }),
  multicastSource: frame({ source: 'ff02::1' }),
  multicastTarget: frame({ message: { target: ip('ff02::1') } }),
  emptyOption: frame({ body: bytes => bytes.with(25, 0) }),
  invalidProbe: frame({ source: '::' }),
  solicitedToGroup: frame({ destination: ALL_NODES, message: { kind: 'advertisement', solicited: true } }),
  notSolicitation: frame({ message: { kind: 'advertisement' } }),
  noSourceLinkLayer: frame({ message: { linkLayer: undefined } }),
  ethernetDestination: frame({ to: '02:00:00:00:00:09' as Mac }),
  announceIP: frame({ message: { target: ip('2001:db8::11') } }),
  notMatchInterface: frame({ message: { target: ip('2001:db8::10') } }),
}
for (const [reason, bytes] of Object.entries(DROPS))
  test(`not answered, and counted for the interface: ${reason}`, () => {
    const { hear, ignored, answered } = station()
    hear(bytes)
    hear(bytes)
    assert.deepEqual(ignored(), [{ [reason]: 2 }])
    assert.equal(answered(), false)
    assert.deepEqual(ignored(), [])
  })

// Chapter 03 section 3.5 (IMP-17) and what of section 3.2 is answered.
const ANSWERED: [what: string, bytes: Uint8Array][] = [
  ['to the group (acceptance example 46)', frame()],
  ['to this interface alone', frame({ destination: VIP, to: link.mac! })],
  ['to it alone, without a MAC (47)', frame({ destination: VIP, to: link.mac!, message: { linkLayer: undefined } })],
  ['duplicate address detection', frame({ source: '::', message: { linkLayer: undefined } })],
  ['with an option of a kind nobody knows', frame({ body: bytes => Uint8Array.of(...bytes, 14, 1, 1, 2, 3, 4, 5, 6) })],
]
for (const [what, bytes] of ANSWERED)
  test(`answered, and counted for the address: ${what}`, () => {
    const { hear, ignored, answered, counts } = station()
    hear(bytes)
    assert.deepEqual([answered(), answered()], [true, false])
    assert.deepEqual([counts[RECEIVED], counts[SENT]], [1, 1])
    assert.deepEqual(ignored(), [])
  })
