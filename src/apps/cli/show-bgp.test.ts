import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NeighborState } from '../../control/bgp/index.ts'
import { duration, neighborText, routesText, summaryText } from './show-bgp.ts'

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
  routes: [
    { prefix: '203.0.113.7/32', communities: ['64500:7'], localPref: 150 },
    { prefix: '2001:db8::7/128', communities: [], notSent: 'no IPv6 next hop' },
  ],
}
const { upMs: _up, lastClose: _last, ...rest } = up
const never: NeighborState = {
  ...rest,
  name: 'tor-b',
  address: '192.0.2.2',
  state: 'open sent',
  prefixesTold: 0,
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

test('routes of one family, and why one is not sent', () => {
  assert.match(routesText(state, 'ipv4'), /203\.0\.113\.7\/32 +192\.0\.2\.1 +150 +64500:7 +sent/)
  assert.match(routesText(state, 'ipv6'), /2001:db8::7\/128 +192\.0\.2\.1 +- +- +not sent: no IPv6 next hop/)
  assert.equal(routesText(state, 'ipv4').includes('2001'), false)
})

test('days are shown from the first one on', () => {
  assert.deepEqual([0, 59_999, 86_399_000, 273_900_000].map(duration), ['00:00:00', '00:00:59', '23:59:59', '3d04h05m'])
})
