import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NeighborState } from '../../control/bgp/index.ts'
import { neighborText } from './show-bgp.ts'
import { knownNeighbors, ofNeighbor, viewJson, viewNamed, viewText } from './show-views.ts'

const counts = { open: 1, update: 2, notification: 0, keepalive: 30, 'route refresh': 0 }
const never: NeighborState = {
  ...{ name: 'tor-b', address: '192.0.2.2', port: 179, localAsn: 64500, remoteAs: 64501, state: 'idle' },
  ...{ establishedCount: 0, sent: counts, received: counts },
  ...{ prefixesWanted: 2, prefixesTold: 0, prefixesReceived: 0, routes: [] },
  config: {
    ...{ myAsn: 64500, remoteAs: 64501, families: ['ipv4'] },
    ...{ passive: false, ebgpMultiHop: false, gracefulRestart: false },
  },
}
const up: NeighborState = {
  ...never,
  ...{ name: 'tor-a', address: '192.0.2.1', state: 'established', prefixesTold: 1 },
  bfd: { profile: { name: 'fast', echoMode: false, passiveMode: false }, state: 'up' },
  routes: [
    { prefix: '203.0.113.7/32', communities: [] },
    { prefix: '2001:db8::7/128', communities: [] },
  ],
}
const state = { node: 'worker-a', bgp: { neighbors: [up, never] } }

const view = (word: string) => {
  const found = viewNamed(word)
  assert.ok(typeof found !== 'string', `${word}: ${found}`)
  return found
}

test('what to show is named by its beginning, where that is one alone', () => {
  const names: [string, string][] = [
    ['sum', 'summary'],
    ['neigh', 'neighbors'],
    ['neighbor', 'neighbors'],
    ['running-conf', 'running-config'],
    ['bfd', 'bfd'],
    ['ipv6', 'ipv6'],
  ]
  assert.deepEqual(
    names.map(([word]) => [word, view(word).name]),
    names,
  )
  assert.equal(viewNamed('ip'), 'bgp ip: ipv4 or ipv6?')
  assert.equal(viewNamed('bfd-peers'), 'bgp bfd-peers: unknown')
})

test('JSON has of each neighbor what was asked for', () => {
  const shown = (word: string) => {
    const [{ node, bgp }] = JSON.parse(viewJson(view(word), [state]))
    assert.equal(node, 'worker-a')
    return bgp.neighbors
  }
  const who = { name: 'tor-a', address: '192.0.2.1', port: 179 }
  assert.deepEqual(shown('neighbors'), JSON.parse(JSON.stringify([up, never])))
  assert.deepEqual(shown('ipv6')[0], { ...who, routes: [up.routes[1]] })
  assert.deepEqual(shown('ipv4')[0], { ...who, routes: [up.routes[0]] })
  assert.deepEqual(shown('bfd'), [{ ...who, bfd: up.bfd }])
  assert.deepEqual(shown('running-config')[0], { ...who, config: up.config, routes: up.routes })
  const [{ state: how, prefixesTold, routes, config }] = shown('summary')
  assert.deepEqual([how, prefixesTold, routes, config], ['established', 1, undefined, undefined])
})

test('one neighbor is named by its address, however written, or by its BGPPeer', () => {
  const six = { ...never, name: 'tor-c', address: '2001:db8::1' }
  const states = [state, { node: 'worker-b', bgp: { neighbors: [six] } }]
  const found = (wanted: string) => ofNeighbor(states, wanted).map(({ node }) => node)
  assert.deepEqual(['192.0.2.1', 'tor-a', 'tor-c', '2001:DB8:0::1', '192.0.2.9'].map(found), [
    ...[['worker-a'], ['worker-a'], ['worker-b'], ['worker-b'], []],
  ])
  assert.equal(viewText(view('neigh'), ofNeighbor(states, 'tor-c')), neighborText(six, 'worker-b'))
  assert.equal(ofNeighbor(states, undefined).length, 2)
  assert.equal(knownNeighbors(states), '192.0.2.1 (tor-a), 192.0.2.2 (tor-b), 2001:db8::1 (tor-c)')
  assert.equal(viewText(view('neigh'), [{ node: 'n', bgp: { neighbors: [] } }]), 'Node n: no BGP peers\n')
})
