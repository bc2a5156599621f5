import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NeighborState } from '../../control/bgp/index.ts'
import { bfdText } from './show-bfd.ts'
import { duration, neighborText, routesText, summaryText } from './show-bgp.ts'
import { runningText } from './show-running.ts'

const counts = { open: 1, update: 2, notification: 0, keepalive: 30, 'route refresh': 0 }
const up: NeighborState = {
  name: 'tor-a',
  address: '192.0.2.1',
  port: 179,
  localAsn: 64500,
  remoteAs: 64501,
  state: 'established',
  upMs: 309_000,
  localAddress: '192.0.2.10',
  peerRouterId: '192.0.2.1',
  peerHostname: 'tor-a.example',
  holdMs: 90_000,
  keepaliveMs: 30_000,
  families: ['ipv4'],
  establishedCount: 2,
  lastClose: { reason: 'BFD session down', agoMs: 400_000 },
  sent: counts,
  received: counts,
  prefixesWanted: 2,
  prefixesTold: 1,
  prefixesReceived: 7,
  bfd: {
    profile: { name: 'fast', receiveIntervalMs: 50, detectMultiplier: 3, echoMode: false, passiveMode: false },
    state: 'up',
    session: {
      ...{ multihop: false, remoteState: 'up', diagnostic: 0, remoteDiagnostic: 1, discriminator: 7 },
      ...{ remoteDiscriminator: 9, transmitIntervalMs: 50, detectionTimeMs: 150, echoIntervalMs: 'off' },
      ...{ controlInput: 11, controlOutput: 12, echoInput: 0, echoOutput: 0, upEvents: 2, downEvents: 1 },
    },
  },
  config: {
    ...{ myAsn: 64500, localAsn: 64999, remoteAs: 64501, families: ['ipv4', 'ipv6'], signed: 'md5' },
    ...{ sourceAddress: '192.0.2.10', routerId: '10.0.0.1', holdMs: 9000, connectMs: 5000, bfdProfile: 'fast' },
    ...{ passive: false, ebgpMultiHop: true, gracefulRestart: true, ttlSecurityHops: 1, longLivedStaleSeconds: 3600 },
    role: 'customer',
  },
  routes: [
    { prefix: '203.0.113.7/32', communities: ['64500:7'], localPref: 150 },
    { prefix: '2001:db8::7/128', communities: [], notSent: 'no IPv6 next hop' },
  ],
}
const { upMs: _up, lastClose: _last, bfd: _bfd, ...rest } = up
const never: NeighborState = {
  ...rest,
  name: 'tor-b',
  address: '192.0.2.2',
  state: 'open sent',
  prefixesTold: 0,
  port: 1179,
  vrf: 'red',
  config: {
    ...{ myAsn: 64500, remoteAs: 'external', families: ['ipv4'], signed: 'tcp-ao' },
    ...{ passive: true, ebgpMultiHop: false, gracefulRestart: false },
  },
  routes: [],
}
const state = { node: 'worker-a', bgp: { neighbors: [up, never] } }

test('the summary has a line for each neighbor, as routers print it', () => {
  assert.deepEqual(summaryText(state).trimEnd().split('\n'), [
    'Node worker-a',
    '  Neighbor   V  AS     MsgRcvd  MsgSent  Up/Down   State/PfxRcd  PfxSnt  Peer',
    '  192.0.2.1  4  64501  33       33       00:05:09  7             1       tor-a',
    '  192.0.2.2  4  64501  33       33       never     OpenSent      0       tor-b',
  ])
  assert.equal(summaryText({ node: 'n', bgp: { neighbors: [] } }), 'Node n: no BGP peers\n')
})

test('a neighbor says how it is and why it was reset', () => {
  const text = neighborText(up, 'worker-a')
  for (const part of [
    'BGP neighbor is 192.0.2.1, remote AS 64501, local AS 64500 (BGPPeer tor-a, node worker-a)',
    'BGP state = Established, up for 00:05:09',
    'Hold time is 90 seconds, keepalive interval is 30 seconds',
    'Last reset 00:06:40 ago: BFD session down',
    '2001:db8::7/128 is not sent: no IPv6 next hop',
  ])
    assert.ok(text.includes(part), `${part}\nin\n${text}`)
  assert.match(neighborText(never, 'worker-a'), /BGP state = OpenSent\n[\s\S]*Last reset never/)
})

test('an unnumbered neighbor is named by its interface, found or not', () => {
  const found = { ...up, address: 'eth1', linkLocal: 'fe80::1' }
  assert.match(neighborText(found, 'worker-a'), /^BGP neighbor on eth1: fe80::1, remote AS 64501/)
  const config = { ...up.config, interface: 'eth1' }
  assert.match(
    runningText({ node: 'worker-a', bgp: { neighbors: [{ ...found, config }] } }),
    /^ neighbor eth1 interface remote-as 64501$/m,
  )
  const missing = { ...rest, address: 'eth1', state: 'idle', missing: 'interface eth1 has no carrier' }
  assert.match(
    neighborText(missing, 'worker-a'),
    /^BGP neighbor is eth1, .*\n.*Idle\n {2}No session: interface eth1 has no carrier\n/,
  )
})

test('copies of paths: whether the peer takes them, and how many a prefix has', () => {
  const config = { ...up.config, maxPaths: 4 }
  const text = (addPath: string[]) => neighborText({ ...up, addPath, config }, 'worker-a')
  assert.match(text(['ipv4', 'ipv6']), /^ {2}Add-path: up to 4 copies of a path in ipv4, ipv6$/m)
  assert.match(text([]), /^ {2}Add-path: offered, and the peer does not receive it$/m)
  assert.doesNotMatch(neighborText(up, 'worker-a'), /Add-path/)
  const routes = [{ prefix: '203.0.113.7/32', communities: [], paths: 3 }]
  const neighbors = [{ ...up, config, routes }]
  assert.match(routesText({ node: 'worker-a', bgp: { neighbors } }, 'ipv4'), /203\.0\.113\.7\/32 .* sent 3 times$/m)
  const running = runningText({ node: 'worker-a', bgp: { neighbors } })
  assert.match(running, /^ {2}neighbor 192\.0\.2\.1 activate\n {2}neighbor 192\.0\.2\.1 addpath-tx-all-paths$/m)
})

test('routes of one family, and why one is not sent', () => {
  assert.match(routesText(state, 'ipv4'), /203\.0\.113\.7\/32 +192\.0\.2\.1 +150 +64500:7 +sent/)
  assert.match(routesText(state, 'ipv6'), /2001:db8::7\/128 +192\.0\.2\.1 +- +- +not sent: no IPv6 next hop/)
  assert.equal(routesText(state, 'ipv4').includes('2001'), false)
})

test('days are shown from the first one on', () => {
  assert.deepEqual([0, 59_999, 86_399_000, 273_900_000].map(duration), ['00:00:00', '00:00:59', '23:59:59', '3d04h05m'])
})

test('the running configuration in the words of FRR; what signs the segments is not shown', () => {
  const alike = { communities: ['64500:7', '64500:1:2'], localPref: 150, med: 5, prepend: 2, linkBandwidth: 1.25e6 }
  const routes = ['203.0.113.7/32', '203.0.113.8/32'].map(prefix => ({ ...alike, prefix }))
  const neighbors = [{ ...up, routes: [...routes, { prefix: '2001:db8::7/128', communities: [] }] }, never]
  assert.deepEqual(runningText({ node: 'worker-a', bgp: { neighbors } }).trimEnd().split('\n'), [
    ...['! speaker on node worker-a', 'bfd', ' profile fast', '  detect-multiplier 3', '  receive-interval 50'],
    ...[' exit', ' !', 'exit', '!'],
    ...['router bgp 64500', ' bgp router-id 10.0.0.1', ' bgp long-lived-graceful-restart stale-time 3600'],
    ' no bgp default ipv4-unicast',
    ' neighbor 192.0.2.1 remote-as 64501',
    ' neighbor 192.0.2.1 description tor-a',
    ' neighbor 192.0.2.1 local-as 64999 no-prepend replace-as',
    ' neighbor 192.0.2.1 update-source 192.0.2.10',
    ' neighbor 192.0.2.1 timers 3 9',
    ' neighbor 192.0.2.1 timers connect 5',
    ' neighbor 192.0.2.1 password <retracted>',
    ' neighbor 192.0.2.1 local-role customer',
    ' neighbor 192.0.2.1 ttl-security hops 1',
    ' neighbor 192.0.2.1 graceful-restart',
    ' neighbor 192.0.2.1 bfd',
    ' neighbor 192.0.2.1 bfd profile fast',
    ' !',
    ' address-family ipv4 unicast',
    '  network 203.0.113.7/32',
    '  network 203.0.113.8/32',
    '  neighbor 192.0.2.1 activate',
    '  neighbor 192.0.2.1 route-map 192.0.2.1-out out',
    ...[' exit-address-family', ' !'],
    ' address-family ipv6 unicast',
    '  network 2001:db8::7/128',
    '  neighbor 192.0.2.1 activate',
    '  neighbor 192.0.2.1 route-map 192.0.2.1-out out',
    ...[' exit-address-family', ' !', 'exit', '!'],
    ...['router bgp 64500 vrf red', ' no bgp default ipv4-unicast'],
    ' neighbor 192.0.2.2 remote-as external',
    ' neighbor 192.0.2.2 description tor-b',
    ' neighbor 192.0.2.2 port 1179',
    ' neighbor 192.0.2.2 tcp-ao <retracted>',
    ' neighbor 192.0.2.2 passive',
    ...[
      ' !',
      ' address-family ipv4 unicast',
      '  neighbor 192.0.2.2 activate',
      ' exit-address-family',
      ' !',
      'exit',
      '!',
    ],
    'ip prefix-list 192.0.2.1-out-1 seq 1 permit 203.0.113.7/32',
    'ip prefix-list 192.0.2.1-out-1 seq 2 permit 203.0.113.8/32',
    'ipv6 prefix-list 192.0.2.1-out-2 seq 1 permit 2001:db8::7/128',
    '!',
    ...['route-map 192.0.2.1-out permit 1', ' match ip address prefix-list 192.0.2.1-out-1'],
    ...[' set local-preference 150', ' set metric 5', ' set as-path prepend last-as 2'],
    ...[' set community 64500:7', ' set large-community 64500:1:2', ' set extcommunity bandwidth 10', 'exit', '!'],
    ...['route-map 192.0.2.1-out permit 2', ' match ipv6 address prefix-list 192.0.2.1-out-2', 'exit', '!'],
  ])
})

test('BFD peers with state, diagnostics, intervals and counters', () => {
  const text = bfdText(state)
  for (const part of [
    'peer 192.0.2.1 local-address 192.0.2.10\n    Peer: tor-a, profile fast\n    Status: up',
    'Remote diagnostics: control detection time expired',
    'Transmission interval: 50ms\n    Detection timeout: 150ms\n    Echo transmission interval: disabled',
    'Control packet input: 11 packets',
    'Session down events: 1',
  ])
    assert.ok(text.includes(part), `${part}\nin\n${text}`)
  assert.equal(text.includes('tor-b'), false)
  assert.equal(bfdText({ node: 'n', bgp: { neighbors: [never] } }), 'Node n: no BFD peers\n')
})

test('the running configuration: of TTL security and multihop, one; whole seconds; maps by VRF; families that are meant', () => {
  const config = { ...never.config, families: ['ipv6', 'ipv4'] as const, holdMs: 10_000, ebgpMultiHop: true }
  const routes = [
    { prefix: '203.0.113.7/32', communities: [] },
    { prefix: '2001:db8::7/128', communities: [] },
  ]
  const lines = (change: Partial<NeighborState>) =>
    runningText({ node: 'n', bgp: { neighbors: [{ ...never, address: '2001:db8::1', config, routes, ...change }] } })
  assert.match(lines({}), /^ neighbor 2001:db8::1 timers 3 10$/m)
  assert.match(lines({}), /^ neighbor 2001:db8::1 ebgp-multihop$/m)
  assert.match(lines({}), /^ neighbor 2001:db8::1 capability extended-nexthop$/m)
  assert.match(lines({}), /^route-map 2001:db8::1-red-out permit 2$/m)
  assert.doesNotMatch(lines({ config: { ...config, ttlSecurityHops: 2 } }), /ebgp-multihop/)
  const inside = lines({ config: { ...config, families: ['ipv6'] } })
  assert.doesNotMatch(inside, /203\.0\.113\.7|extended-nexthop/)
  assert.match(inside, /^ipv6 prefix-list 2001:db8::1-red-out-1 seq 1 permit 2001:db8::7\/128$/m)
})
