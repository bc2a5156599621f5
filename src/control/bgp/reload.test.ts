/** What each field of a BGPPeer and of a BGPAdvertisement costs when it changes: no more than it must (issue 6, point 6). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BgpAdvertisement, Peer } from '../../core/config/index.ts'
import { parseAddress } from '../../core/ip/index.ts'
import { type Admitted, admit } from '../../core/plan/index.ts'
import { aBgpAdvertisement, aBgpPeer } from '../../testing/bgp-peer.ts'
import { BgpWorld } from '../../testing/bgp-world.ts'
import { aPool, aService, aWorld } from '../../testing/layer2-world.ts'
import type { AddressedPeer } from './settings.ts'

const ip = (text: string) => parseAddress(text)!
const OTHER = aBgpPeer({ name: 'tor-b', remoteAs: 64500, endpoint: { address: ip('192.0.2.2') } })

/** `adjusted`: on the connection as it is. `anew`: the session ends and another begins. */
type PeerOutcome = 'nothing' | 'adjusted' | 'anew'
type PeerChange = [name: string, change: Partial<AddressedPeer>, outcome: PeerOutcome, before?: Partial<AddressedPeer>]

const aoKeys = [{ sendId: 1, receiveId: 1, algorithm: 'hmac-sha-1-96', secret: 'x' }] as const
const RESTARTS = { gracefulRestart: true }

/** A new field is an error here until it is known what it costs. */
const PEER_FIELDS: { readonly [field in keyof Required<Peer>]: readonly PeerChange[] } = {
  name: [['name', { name: 'tor-z' }, 'anew']],
  myAsn: [
    ['myASN', { myAsn: 64510 }, 'anew'],
    ['myASN behind a localASN', { myAsn: 64510, localAsn: 64500 }, 'nothing', { localAsn: 64500 }],
  ],
  remoteAs: [
    ['peerASN', { remoteAs: 64502 }, 'anew'],
    ['dynamicASN that the router fits', { remoteAs: 'external' }, 'adjusted'],
  ],
  localAsn: [
    ['localASN', { localAsn: 64510 }, 'anew'],
    ['localASN that says what myASN does', { localAsn: 64500 }, 'nothing'],
  ],
  endpoint: [['peerAddress', { endpoint: { address: ip('192.0.2.3') } }, 'anew']],
  port: [['peerPort', { port: 1790 }, 'anew']],
  sourceAddress: [
    ['sourceAddress', { sourceAddress: ip('192.0.2.11') }, 'anew'],
    ['sourceAddress, the one in use', { sourceAddress: ip('192.0.2.10') }, 'adjusted'],
  ],
  holdMs: [
    ['holdTime', { holdMs: 9000 }, 'anew'],
    ['holdTime above that of the router', { holdMs: 180_000 }, 'adjusted'],
  ],
  keepaliveMs: [['keepaliveTime', { keepaliveMs: 3000 }, 'adjusted']],
  connectMs: [['connectTime', { connectMs: 5000 }, 'adjusted']],
  routerId: [['routerID', { routerId: ip('10.0.0.1') }, 'anew']],
  nodeSelectors: [['nodeSelectors that still match', { nodeSelectors: [{}] }, 'nothing']],
  password: [['password', { password: 'new' }, 'adjusted', { password: 'old' }]],
  aoKeys: [
    ['TCP-AO where there was none', { aoKeys }, 'anew'],
    ['TCP-AO keys', { aoKeys: [{ ...aoKeys[0], sendId: 2 }] }, 'adjusted', { aoKeys }],
  ],
  passwordSecret: [['passwordSecret with the same password', { passwordSecret: { name: 's' } }, 'nothing']],
  passive: [['passive', { passive: true }, 'adjusted']],
  role: [['role', { role: 'customer' }, 'anew']],
  bfdProfile: [['bfdProfile', { bfdProfile: 'fast' }, 'nothing']],
  gracefulRestart: [['enableGracefulRestart', RESTARTS, 'anew']],
  longLivedStaleSeconds: [['stale time', { ...RESTARTS, longLivedStaleSeconds: 60 }, 'anew', RESTARTS]],
  maxPaths: [
    ['add-path', { maxPaths: 4 }, 'anew'],
    ['add-path, the most copies', { maxPaths: 4 }, 'nothing', { maxPaths: 8 }],
  ],
  ebgpMultiHop: [['ebgpMultiHop', { ebgpMultiHop: true }, 'nothing']],
  ttlSecurityHops: [['TTL security', { ttlSecurityHops: 1 }, 'adjusted']],
  vrf: [['vrf', { vrf: 'red' }, 'anew']],
  disableMP: [['disableMP', { disableMP: true }, 'nothing']],
  dualStackAddressFamily: [['dualStackAddressFamily', { dualStackAddressFamily: true }, 'anew']],
}
for (const [name, change, outcome, before = {}] of Object.values(PEER_FIELDS).flat())
  test(`BGPPeer, ${name}: ${outcome}`, async () => {
    const { world, ended } = await running(aBgpPeer(before))
    await world.announce('default/web', '203.0.113.7/32')
    world.clock.advance(1000)
    const updates = () => world.bgp.sessions.get('tor-a')?.status.sent.update
    const [sentBefore, linesBefore] = [updates(), world.log.lines.length]
    world.peers(aBgpPeer({ ...before, ...change }), OTHER)
    world.clock.advance(5000)
    assert.deepEqual(ended(), outcome === 'anew' ? ['tor-a'] : [])
    if (outcome === 'anew') return // and the connection of the next session is none of the matter
    assert.equal(world.streams.adjusted.length, outcome === 'adjusted' ? 1 : 0)
    assert.deepEqual([updates(), world.log.lines.length], [sentBefore, linesBefore], 'nothing is told anew, or said')
  })

test('BGPPeer, a changed BFD profile: the BFD session changes, and BGP does not notice', async () => {
  const { world, ended } = await running(aBgpPeer({ bfdProfile: 'fast' }))
  assert.equal(world.targets.length, 1)
  const bfdProfiles = [{ name: 'fast', echoMode: false, passiveMode: false, receiveIntervalMs: 100 }]
  world.bgp.setPeers({ peers: [aBgpPeer({ bfdProfile: 'fast' }), OTHER], bfdProfiles })
  assert.deepEqual([ended(), world.streams.adjusted, world.targets.length], [[], [], 1])
})

/** As each of the routers sees it: of another AS, and of ours. */
type AdOutcome = 'nothing' | 'told again' | 'withdrawn' | 'withdrawn, and another told'
type AdChange = [change: Partial<BgpAdvertisement>, external: AdOutcome, internal?: AdOutcome]

const AD_FIELDS: { readonly [field in keyof Required<BgpAdvertisement>]: readonly AdChange[] } = {
  name: [[{ name: 'B' }, 'nothing']],
  nodes: [
    [{ nodes: new Set(['node-b']) }, 'withdrawn'],
    [{ nodes: new Set(['worker-a']) }, 'nothing'],
  ],
  pools: [[{ pools: new Set(['others']) }, 'withdrawn']],
  peers: [
    [{ peers: new Set(['tor-b']) }, 'withdrawn', 'nothing'],
    [{ peers: new Set(['tor-a', 'tor-b']) }, 'nothing'],
  ],
  aggregationLength: [
    [{ aggregationLength: { ipv4: 24, ipv6: 128 } }, 'withdrawn, and another told'],
    [{ aggregationLength: { ipv4: 32, ipv6: 64 } }, 'nothing'],
  ],
  localPref: [
    [{ localPref: 150 }, 'nothing', 'told again'], // example 25
    [{ localPref: 100 }, 'nothing'], // what it is without
  ],
  prepend: [[{ prepend: 2 }, 'told again', 'nothing']],
  med: [[{ med: 0 }, 'told again']],
  bandwidthPerEndpoint: [[{ bandwidthPerEndpoint: 1000 }, 'told again']],
  communities: [[{ communities: [{ kind: 'standard', parts: [64500, 7] }] }, 'told again']],
  serviceSelectors: [
    [{ serviceSelectors: [{ matchLabels: { no: 'such' } }] }, 'withdrawn'],
    [{ serviceSelectors: [{ matchLabels: { app: 'web' } }] }, 'nothing'],
  ],
}
for (const [field, changes] of Object.entries(AD_FIELDS))
  for (const [change, external, internal = external] of changes)
    test(`BGPAdvertisement, ${field}: ${external} outside, ${internal} inside the AS`, async () => {
      const { world, ended } = await running(aBgpPeer())
      await plan(world, aBgpAdvertisement())
      const told = (name: string) => [world.told(name), world.bgp.sessions.get(name)!.status.sent.update] as const
      const before = ['tor-a', 'tor-b'].map(told)
      await plan(world, aBgpAdvertisement(change))
      const after = ['tor-a', 'tor-b'].map(told)
      const outcomes = after.map(([prefixes, messages], index) =>
        outcomeOf(before[index]![0], prefixes, messages - before[index]![1]),
      )
      assert.deepEqual([outcomes, ended()], [[external, internal], []])
    })

function outcomeOf(before: readonly string[], after: readonly string[], messages: number): AdOutcome | number {
  assert.deepEqual(before, ['203.0.113.7/32'])
  const [prefix] = after
  if (messages === 0 && prefix === '203.0.113.7/32') return 'nothing'
  if (messages === 1 && prefix === '203.0.113.7/32') return 'told again'
  if (messages === 1 && prefix === undefined) return 'withdrawn'
  return messages === 2 && prefix === '203.0.113.0/24' ? 'withdrawn, and another told' : messages
}

/** What a speaker does where its configuration has changed. */
async function plan(world: BgpWorld, advertisement: BgpAdvertisement): Promise<void> {
  const service = aService({ ips: ['203.0.113.7'], labels: { app: 'web' } })
  const planned = aWorld({ service, pools: [aPool({ name: 'p4', entries: ['203.0.113.0/24'] })] })
  const bgp = { peers: [], advertisements: [advertisement], bfdProfiles: [], extras: '' }
  const config = { ...planned.config, bgp }
  const decision = world.bgp.planner({ ...planned, config }).shouldAnnounce(admit(service, config) as Admitted)
  if ('routes' in decision) world.bgp.setBalancer(service.key, decision)
  else world.bgp.deleteBalancer(service.key)
  await world.bgp.commit()
  world.clock.advance(2000) // weights are told once a second
}

/** Sessions with a router of AS 64501, to be varied, and one of our own AS that must never notice. */
async function running(peer: Peer) {
  const world = new BgpWorld()
  await world.router('192.0.2.1', { gracefulRestart: { seconds: 120, restarting: false } })
  const other = await world.router('192.0.2.2', { localAsn: 64500 })
  world.peers(peer, OTHER)
  world.up()
  world.up('tor-b')
  world.streams.adjusted.length = 0 // those of the routers, for the connections that they took
  /** Names of the peers whose session has ended. */
  const ended = () => {
    assert.deepEqual([other.status.state, other.status.establishedCount], ['established', 1], 'the other session')
    return world.lines('peer deconfigured, closing BGP session').map(({ fields }) => fields.bgpPeer)
  }
  return { world, ended }
}
