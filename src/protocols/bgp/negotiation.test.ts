import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BgpRole } from '../../core/config/index.ts'
import { type Family, parseAddress } from '../../core/ip/index.ts'
import { ourSettings, theirOpen, theirSettings } from '../../testing/bgp-settings.ts'
import { hex } from '../../testing/hex.ts'
import type { AddPathMode, Capability } from './capability.ts'
import { collisionWinner } from './collision.ts'
import { agreedHoldMs, dialMs, idleHoldMs, jittered, keepaliveMs, sendHoldMs } from './damping.ts'
import type { BgpErrorCode } from './errors.ts'
import { encodeMessage, type Open } from './message/index.ts'
import { agree, offeredOpen, type Settings } from './negotiation.ts'

const ip = (text: string) => parseAddress(text)!
const ours = ourSettings()
const OPTIONS: Partial<Settings> = {
  extendedNextHop: true,
  extendedMessage: true,
  gracefulRestart: { seconds: 120, restarting: true },
  longLivedStaleSeconds: 3600,
  hostname: 'node-1',
}
const everything = ourSettings(OPTIONS)
const theirs = theirSettings({ ...OPTIONS, holdMs: 30_000 })

test('51: the OPEN with everything', () => {
  const M = 'ffffffffffffffffffffffffffffffff'
  assert.deepEqual(
    encodeMessage(offeredOpen(everything)),
    hex`${M} 0065 01 04 fbf4 005a c000020a 48 0246 010400010001 010400020001 0200 0506000100010002 0600
      400ac0780001018000020180 41040000fbf4 4600 470e00010180000e1000020180000e10 4908066e6f64652d3100`,
  )
})

test('only the families of the peer are offered', () => {
  const { capabilities } = offeredOpen({ ...ours, families: ['ipv4'] })
  assert.deepEqual(
    capabilities.filter(one => one.kind === 'multiprotocol'),
    [{ kind: 'multiprotocol', afi: 1, safi: 1 }],
  )
})

test('what both offer is agreed on', () => {
  const agreed = agree(everything, offeredOpen(theirs))
  assert.equal(agreed.holdMs, 30_000)
  assert.equal(agreed.keepaliveMs, 10_000)
  assert.deepEqual(agreed.families, ['ipv4', 'ipv6'])
  assert.deepEqual(agreed.wire, { asnBytes: 4, addPath: [], internal: false, enhancedRefresh: true })
  assert.equal(agreed.extendedNextHop && agreed.extendedMessage && agreed.routeRefresh, true)
  assert.equal(agreed.gracefulRestart?.seconds, 120)
  assert.equal(agreed.longLived?.families[0]?.staleSeconds, 3600)
  assert.equal(agreed.notificationKeepsRoutes, true)
  assert.equal(agreed.peerHostname, 'node-1')
})

test('what only the peer offers is not', () => {
  const agreed = agree(ours, offeredOpen(theirs))
  assert.equal(agreed.extendedNextHop || agreed.extendedMessage || agreed.notificationKeepsRoutes, false)
  assert.equal(agreed.gracefulRestart, undefined)
  assert.equal(agreed.longLived, undefined)
})

test('long-lived graceful restart is nothing without the other one, and none of ours where we do not offer it', () => {
  const { gracefulRestart, ...alone } = everything
  const kinds = (settings: Settings) => offeredOpen(settings).capabilities.map(({ kind }) => kind)
  assert.ok(!kinds(alone).includes('long-lived graceful restart'))
  assert.equal(agree(alone, offeredOpen(theirs)).longLived, undefined)
  const { longLivedStaleSeconds, ...plain } = everything
  const agreed = agree(plain, offeredOpen(theirs))
  assert.deepEqual([agreed.gracefulRestart?.seconds, agreed.longLived], [120, undefined])
})

const PATHS: [name: string, offered: readonly Capability[], agreed: readonly Family[]][] = [
  ['receives', [addPath([1, 'receive'], [2, 'receive'])], ['ipv4', 'ipv6']],
  ['receives and sends', [addPath([1, 'both'], [2, 'both'])], ['ipv4', 'ipv6']],
  ['receives one family', [addPath([2, 'receive'])], ['ipv6']],
  ['receives one and sends the other', [addPath([1, 'send'], [2, 'receive'])], ['ipv6']],
  ['sends only', [addPath([1, 'send'], [2, 'send'])], []],
  ['receives a family nobody speaks', [addPath([25, 'receive'])], []],
  ['has it not', [], []],
  ['says it twice', [addPath([1, 'receive']), addPath([2, 'receive'])], ['ipv6']],
]
for (const [name, offered, families] of PATHS)
  test(`RFC 7911: we send, and the peer ${name}`, () => {
    const open = { ...theirOpen(), capabilities: [...theirOpen().capabilities, ...offered] }
    const { wire, peerWire } = agree(ourSettings({ addPath: true }), open)
    assert.deepEqual(wire, { asnBytes: 4, addPath: families, internal: false, enhancedRefresh: true })
    assert.deepEqual(peerWire, { ...wire, addPath: [] }, 'the peer never sends identifiers')
    assert.deepEqual(agree(ours, open).wire.addPath, [], 'nothing without an offer of ours')
  })

test('RFC 7911: paths of a family that is not spoken are not agreed on', () => {
  const open = { ...theirOpen({ families: ['ipv4'] }) }
  const capabilities = [...open.capabilities, addPath([1, 'receive'], [2, 'receive'])]
  assert.deepEqual(agree(ourSettings({ addPath: true }), { ...open, capabilities }).wire.addPath, ['ipv4'])
})

test('RFC 7911: sending is offered for each family of the session, and receiving never', () => {
  const offered = (families: Settings['families']) =>
    offeredOpen(ourSettings({ addPath: true, families })).capabilities.filter(({ kind }) => kind === 'add-path')
  assert.deepEqual(offered(['ipv4', 'ipv6']), [addPath([1, 'send'], [2, 'send'])])
  assert.deepEqual(offered(['ipv6']), [addPath([2, 'send'])])
  assert.ok(offeredOpen(everything).capabilities.every(({ kind }) => kind !== 'add-path'))
})

function addPath(...entries: [afi: number, mode: AddPathMode][]): Capability {
  return { kind: 'add-path', families: entries.map(([afi, mode]) => ({ afi, safi: 1, mode })) }
}

test('32: a peer without capabilities speaks IPv4 and two-byte AS numbers', () => {
  const agreed = agree(ours, { ...offeredOpen(theirs), capabilities: [] })
  assert.deepEqual(agreed.families, ['ipv4'])
  assert.equal(agreed.wire.asnBytes, 2)
  assert.equal(agreed.routeRefresh, false)
})

test('the capability of 1998 asks for a refresh too', () => {
  const old: Capability = { kind: 'unknown', code: 128, value: new Uint8Array() }
  assert.equal(agree(ours, { ...offeredOpen(theirs), capabilities: [old] }).routeRefresh, true)
})

test('63: localASN is what the peer sees, above 65535 as AS_TRANS', () => {
  assert.equal(offeredOpen({ ...ours, localAsn: 65010 }).myAs, 65010)
  assert.equal(offeredOpen({ ...ours, localAsn: 65535 }).myAs, 65535)
  assert.equal(offeredOpen({ ...ours, localAsn: 65536 }).myAs, 23456)
})

const open = offeredOpen(theirs)
const refused: [name: string, settings: Partial<Settings>, open: Partial<Open>, code: BgpErrorCode, message: RegExp][] =
  [
    ['34: another AS', {}, asn(64502), 'BAD_PEER_AS', /^unexpected peer ASN 64502, want 64501$/],
    ['62: external, and ours', { remoteAs: 'external' }, asn(64500), 'BAD_PEER_AS', /64500, want any but 64500$/],
    ['62: internal, and not ours', { remoteAs: 'internal' }, asn(64501), 'BAD_PEER_AS', /64501, want 64500$/],
    ['external, and zero', { remoteAs: 'external' }, asn(0), 'BAD_PEER_AS', /ASN 0/],
    ['AS_TRANS without the capability', {}, { myAs: 23456, capabilities: [] }, 'BAD_PEER_AS', /23456/],
    ['identifier zero', {}, { identifier: ip('0.0.0.0') }, 'BAD_BGP_IDENTIFIER', /0\.0\.0\.0/],
    [
      'our identifier within our AS',
      { remoteAs: 'internal' },
      { ...asn(64500), identifier: ip('192.0.2.10') },
      'BAD_BGP_IDENTIFIER',
      /our own/,
    ],
    [
      'two roles',
      { role: 'customer' },
      roles(0, 4),
      'ROLE_MISMATCH',
      /says that it is provider and peer, and we are customer$/,
    ],
    ['a role without a name', { role: 'peer' }, roles(9), 'ROLE_MISMATCH', /says that it is role 9, and we are peer$/],
    ['hold time 1', {}, { holdTime: 1 }, 'UNACCEPTABLE_HOLD_TIME', /1 s/],
    ['31: hold time 2', {}, { holdTime: 2 }, 'UNACCEPTABLE_HOLD_TIME', /2 s/],
    [
      'no family in common',
      { families: ['ipv6'] },
      {
        capabilities: [
          { kind: 'multiprotocol', afi: 1, safi: 1 },
          { kind: 'four-octet AS', asn: 64501 },
        ],
      },
      'UNSUPPORTED_CAPABILITY',
      /we have ipv6, the peer ipv4$/,
    ],
  ]

/** By value (RFC 9234 section 4.1). */
const ROLES: readonly BgpRole[] = ['provider', 'rs', 'rs-client', 'customer', 'peer']
const FITTING: [ours: BgpRole, theirs: number, onlyToCustomer: boolean][] = [
  ['provider', 3, true],
  ['customer', 0, false],
  ['rs', 2, true],
  ['rs-client', 1, false],
  ['peer', 4, true],
]
for (const [role, theirs, onlyToCustomer] of FITTING)
  test(`RFC 9234: ${role}, and every role of the peer`, () => {
    const settings = ourSettings({ role })
    for (let value = 0; value < 256; value++)
      if (value === theirs)
        assert.equal(agree(settings, { ...open, ...roles(value, value) }).onlyToCustomer, onlyToCustomer)
      else assert.throws(() => agree(settings, { ...open, ...roles(value) }), { code: 'ROLE_MISMATCH' })
    assert.equal(agree(settings, open).onlyToCustomer, onlyToCustomer, 'a peer that says nothing fits')
    assert.deepEqual(
      offeredOpen(settings).capabilities.filter(({ kind }) => kind === 'role'),
      [{ kind: 'role', value: ROLES.indexOf(role) }],
    )
  })

test('RFC 9234: no role of ours, or a peer of our AS: nothing is compared', () => {
  assert.equal(agree(ours, { ...open, ...roles(3) }).onlyToCustomer, false)
  const internal = { ...open, capabilities: [...asn(64500).capabilities!, { kind: 'role', value: 3 } as const] }
  assert.equal(agree(ourSettings({ remoteAs: 'internal', role: 'provider' }), internal).onlyToCustomer, false)
})

for (const [name, settings, changed, code, message] of refused)
  test(`${name}: ${code}`, () => {
    assert.throws(() => agree({ ...ours, ...settings }, { ...open, ...changed }), { name: 'BgpError', code, message })
  })

test('a missing capability is sent back as it should have been', () => {
  const capabilities: Capability[] = [
    { kind: 'multiprotocol', afi: 1, safi: 4 },
    { kind: 'four-octet AS', asn: 64501 },
  ]
  assert.throws(() => agree(ours, { ...open, capabilities }), { data: hex`0104 0001 00 01 0104 0002 00 01` })
})

test('62: internal and external are known after OPEN', () => {
  assert.equal(agree({ ...ours, remoteAs: 'internal' }, { ...open, ...asn(64500) }).internal, true)
  assert.equal(agree({ ...ours, remoteAs: 'external' }, open).internal, false)
  assert.equal(agree({ ...ours, remoteAs: 'external' }, { ...open, identifier: ours.identifier }).internal, false)
})

function roles(...values: number[]): Partial<Open> {
  return { capabilities: [...open.capabilities, ...values.map(value => ({ kind: 'role', value }) as const)] }
}

function asn(value: number): Partial<Open> {
  return { myAs: value, capabilities: [{ kind: 'four-octet AS', asn: value }] }
}

const idleHolds = [0, 0, 1, 2, 4, 8, 16, 32, 64, 120, 120].map(seconds => seconds * 1000)
test('pauses after failures', () => {
  for (const [failures, ms] of idleHolds.entries()) assert.equal(idleHoldMs(failures, 120_000), ms, `after ${failures}`)
  assert.equal(idleHoldMs(5, 3000), 3000)
  assert.equal(idleHoldMs(1_000_000, 120_000), 120_000)
})

const holds: [oursMs: number, theirs: number, hold: number, configured: number | undefined, keepalive: number][] = [
  [90_000, 30, 30_000, undefined, 10_000],
  [90_000, 180, 90_000, undefined, 30_000],
  [90_000, 0, 0, undefined, 0],
  [0, 180, 0, 5000, 0],
  [3999, 180, 3000, undefined, 1000],
  [90_000, 180, 90_000, 5000, 5000],
  [90_000, 9, 9000, 30_000, 3000],
  [90_000, 90, 90_000, 0, 30_000],
  [90_000, 90, 90_000, 10, 1000],
  [1e9, 65535, 65_535_000, undefined, 21_845_000],
]
for (const [oursMs, theirSeconds, hold, configured, keepalive] of holds)
  test(`hold ${oursMs} ms and ${theirSeconds} s, keepalive ${configured}: ${hold} and ${keepalive}`, () => {
    assert.equal(agreedHoldMs(oursMs, theirSeconds), hold)
    assert.equal(keepaliveMs(hold, configured), keepalive)
  })

test('other times', () => {
  assert.equal(sendHoldMs(90_000), 480_000)
  assert.equal(sendHoldMs(300_000), 600_000)
  assert.equal(dialMs(120_000), 10_000)
  assert.equal(dialMs(5000), 5000)
  assert.equal(jittered(1000, 0), 1000)
  assert.equal(jittered(1000, 0.5), 875)
})

const collisions: [ours: [string, number], theirs: [string, number], winner: string][] = [
  [['192.0.2.10', 64500], ['192.0.2.1', 64501], 'local'],
  [['192.0.2.1', 64500], ['192.0.2.10', 64501], 'remote'],
  [['128.0.0.1', 1], ['127.0.0.1', 2], 'local'],
  [['192.0.2.1', 64500], ['192.0.2.1', 64501], 'remote'],
  [['192.0.2.1', 64502], ['192.0.2.1', 64501], 'local'],
]
for (const [[id, as], [theirId, theirAs], winner] of collisions)
  test(`60: ${id} of ${as} and ${theirId} of ${theirAs} collide: that of the ${winner} side stays`, () => {
    const local = { identifier: ip(id), asn: as }
    const remote = { identifier: ip(theirId), asn: theirAs }
    assert.equal(collisionWinner(local, remote), winner)
    assert.notEqual(collisionWinner(remote, local), winner) // the peer comes to the same end
  })
