import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Peer } from '../../core/config/index.ts'
import { formatAddress, parseAddress } from '../../core/ip/index.ts'
import { aBgpPeer } from '../../testing/bgp-peer.ts'
import { anInterface } from '../../testing/fake-speaker.ts'
import {
  type AddressedPeer,
  identifierOf,
  identify,
  localAddresses,
  peerLabel,
  settingsOf,
  targetOf,
} from './settings.ts'

const ip = (text: string) => parseAddress(text)!
const on = (...entries: [address: string, length: number][]) =>
  anInterface('eth0', { addresses: entries.map(([text, length]) => ({ address: ip(text), length })) })
const connection = (text: string) => ({ address: ip(text), port: 40000 })

const LABELS: [change: Partial<Peer>, label: string][] = [
  [{}, '192.0.2.1:179'],
  [{ endpoint: { address: ip('2001:db8:1::1') } }, '2001:db8:1::1:179'],
  [{ endpoint: { interface: 'eth1' }, port: 1790 }, 'eth1:1790'],
]
for (const [change, label] of LABELS)
  test(`the label of metrics: ${label}`, () => assert.equal(peerLabel({ ...aBgpPeer(), ...change }), label))

test('29 a router ID from the name of the node', () => {
  assert.equal(formatAddress(identifierOf('node-1')), '95.28.242.19')
})

const IDENTIFIERS: [name: string, connection: string, interfaces: ReturnType<typeof on>[], identifier: string][] = [
  ['the local IPv4 address', '192.0.2.10', [], '192.0.2.10'],
  [
    'the first IPv4 address of the interface',
    '2001:db8::10',
    [on(['2001:db8::10', 64], ['192.0.2.9', 24])],
    '192.0.2.9',
  ],
  ['the hash where there is none', '2001:db8::10', [on(['2001:db8::10', 64])], '95.28.242.19'],
] // prettier-ignore
for (const [name, local, interfaces, identifier] of IDENTIFIERS)
  test(`router ID: ${name}`, () =>
    assert.equal(formatAddress(identify(connection(local), 'node-1', interfaces)), identifier))

const HOPS: [name: string, connection: string, peer: string, interfaces: ReturnType<typeof on>[], hops: object][] = [
  ['IPv4, no IPv6', '192.0.2.10', '192.0.2.1', [on(['192.0.2.10', 24])], { ipv4: '192.0.2.10' }],
  [
    'IPv4 with a global IPv6',
    '192.0.2.10',
    '192.0.2.1',
    [on(['192.0.2.10', 24], ['fe80::a', 64], ['2001:db8::10', 64])],
    { ipv4: '192.0.2.10', ipv6: '2001:db8::10', linkLocal: 'fe80::a' },
  ],
  [
    'a peer behind a router has no use for link-local',
    '2001:db8::10',
    '2001:db8:9::1',
    [on(['2001:db8::10', 64], ['fe80::a', 64])],
    { ipv6: '2001:db8::10' },
  ],
] // prettier-ignore
for (const [name, local, peer, interfaces, hops] of HOPS)
  test(`next hops: ${name}`, () => {
    const { connection: own, ...others } = localAddresses(connection(local), ip(peer), interfaces)
    assert.equal(formatAddress(own), local)
    assert.deepEqual(Object.fromEntries(Object.entries(others).map(([key, one]) => [key, formatAddress(one)])), hops)
  })

test('settings: only the family of the address, unless both are asked for', () => {
  const families = (change: Partial<AddressedPeer>) => settingsOf(aBgpPeer(change), 'n', false).families
  assert.deepEqual(families({}), ['ipv4'])
  assert.deepEqual(families({ endpoint: { address: ip('2001:db8::1') } }), ['ipv6'])
  assert.deepEqual(families({ dualStackAddressFamily: true }), ['ipv4', 'ipv6'])
})

test('settings: localASN is shown in place of myASN; hold 90 s; graceful restart only where asked for', () => {
  const { localAsn, holdMs, gracefulRestart } = settingsOf(aBgpPeer({ localAsn: 65010 }), 'n', true)
  assert.deepEqual([localAsn, holdMs, gracefulRestart], [65010, 90_000, undefined])
  const { longLivedStaleSeconds } = settingsOf(
    aBgpPeer({ gracefulRestart: true, longLivedStaleSeconds: 60 }),
    'n',
    true,
  )
  assert.equal(longLivedStaleSeconds, 60)
  const restarting = settingsOf(aBgpPeer({ gracefulRestart: true }), 'n', true).gracefulRestart
  assert.deepEqual(restarting, { seconds: 120, restarting: true })
})

test('the target: device of a VRF, signature, and no TTL of our own (decision 5)', () => {
  assert.deepEqual(targetOf(aBgpPeer({ vrf: 'red', password: 'x', holdMs: 9000 })), {
    address: ip('192.0.2.1'),
    port: 179,
    trafficClass: 0xc0,
    device: 'red',
    md5Password: 'x',
    userTimeoutMs: 9000,
  })
})

test('107 TTL security: ours leave with 255, theirs may have crossed so many hops', () => {
  const { ttl, minTtl } = targetOf(aBgpPeer({ ttlSecurityHops: 2 }))
  assert.deepEqual([ttl, minTtl], [255, 254])
})
