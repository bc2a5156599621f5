import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from '../../core/ip/index.ts'
import { agree, offeredOpen } from '../../protocols/bgp/index.ts'
import { aBgpPeer } from '../../testing/bgp-peer.ts'
import { restartReasons, type SessionNeeds } from './changes.ts'
import { type AddressedPeer, settingsOf, targetOf } from './settings.ts'

const ip = (text: string) => parseAddress(text)!
const local = { address: ip('192.0.2.10'), port: 40_000 }

function needs(change: Partial<AddressedPeer>): SessionNeeds {
  const peer = aBgpPeer(change)
  return { settings: settingsOf(peer, 'worker-a', false), target: targetOf(peer), sourceAddress: peer.sourceAddress }
}

/** With a peer in AS 64501 that offers a hold time of 30 s. */
function running(of: SessionNeeds) {
  const theirs = { ...of.settings, localAsn: 64501, identifier: ip('192.0.2.1'), holdMs: 30_000 }
  return { agreed: agree(of.settings, offeredOpen(theirs)), local }
}

const LONG_LIVED = { gracefulRestart: true, longLivedStaleSeconds: 3600 }

const CHANGES: [name: string, change: Partial<AddressedPeer>, reasons: string[], before?: Partial<AddressedPeer>][] = [
  ['nothing', {}, []],
  ['selectors', { nodeSelectors: [{}] }, []],
  ['BFD profile', { bfdProfile: 'fast' }, []],
  ['connect time', { connectMs: 1000 }, []],
  ['keepalive time', { keepaliveMs: 1000 }, []],
  ['password', { password: 'x' }, []],
  ['password, from a Secret', { password: 'x', passwordSecret: { name: 'tor' } }, []],
  ['TTL security', { ttlSecurityHops: 1 }, []],
  ['what native mode does not use', { ebgpMultiHop: true, disableMP: true }, []],
  ['hold time, the smaller one', { holdMs: 9000 }, ['hold time']],
  ['hold time, and the peer wants less than both', { holdMs: 60_000 }, []],
  ['hold time, from less than the peer wants', { holdMs: 60_000 }, ['hold time'], { holdMs: 9000 }],
  ['address', { endpoint: { address: ip('192.0.2.2') } }, ['address']],
  ['port', { port: 180 }, ['port']],
  ['VRF', { vrf: 'red' }, ['VRF']],
  ['source', { sourceAddress: ip('192.0.2.9') }, ['source address']],
  ['source, the one in use', { sourceAddress: ip('192.0.2.10') }, []],
  ['source, no more', {}, ['source address'], { sourceAddress: ip('192.0.2.10') }],
  ['myASN', { myAsn: 64510 }, ['local ASN']],
  ['localASN, the same in other words', { myAsn: 64999, localAsn: 64500 }, []],
  ['peerASN', { remoteAs: 64502 }, ['peer ASN']],
  ['dynamicASN that the peer fits', { remoteAs: 'external' }, []],
  ['dynamicASN that it does not fit', { remoteAs: 'internal' }, ['peer ASN']],
  ['router ID', { routerId: ip('1.1.1.1') }, ['router ID']],
  ['graceful restart', { gracefulRestart: true }, ['graceful restart']],
  ['long-lived graceful restart', LONG_LIVED, ['long-lived graceful restart'], { gracefulRestart: true }],
  ['add-path', { maxPaths: 4 }, ['add-path']],
  ['how many paths', { maxPaths: 4 }, [], { maxPaths: 8 }],
  ['families', { dualStackAddressFamily: true }, ['families']],
  ['several', { port: 180, dualStackAddressFamily: true }, ['port', 'families']],
]
for (const [name, change, reasons, before = {}] of CHANGES)
  test(`a change of ${name}: ${reasons.length > 0 ? `anew for ${reasons.join(', ')}` : 'the session stays'}`, () => {
    const old = needs(before)
    assert.deepEqual(restartReasons(old, needs(change), running(old)), reasons)
  })

test('without a session that is up nothing is agreed on anyway', () => {
  const reasons = restartReasons(needs({}), needs({ holdMs: 60_000, remoteAs: 'external' }), {})
  assert.deepEqual(reasons, ['peer ASN', 'hold time'])
})

test('TCP-AO begins with a connection', () => {
  const aoKeys = [{ sendId: 1, receiveId: 1, algorithm: 'hmac-sha-1-96', secret: 'x' }] as const
  const signed = { ...needs({}), target: { ...needs({}).target, aoKeys } }
  assert.deepEqual(restartReasons(needs({}), signed, running(needs({}))), ['TCP-AO'])
  const rolled = { ...signed, target: { ...signed.target, aoKeys: [{ ...aoKeys[0], sendId: 2 }] } }
  assert.deepEqual(restartReasons(signed, rolled, running(signed)), [])
})
