import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Community, formatCommunity } from '../../core/config/index.ts'
import { formatPrefix, parsePrefix } from '../../core/ip/index.ts'
import type { ServiceRoute } from '../../core/plan/index.ts'
import { Rib } from './rib.ts'

const prefix = parsePrefix('203.0.113.0/24')!
const standard = (a: number, b: number): Community => ({ kind: 'standard', parts: [a, b] })
const route = (change: Partial<ServiceRoute> = {}): ServiceRoute => ({
  prefix,
  advertisement: 'A',
  peers: 'all',
  communities: [],
  ...change,
})
const changed = (rib: Rib) => rib.takeChanged().map(formatPrefix)

test('15 a prefix goes with the last of its Services', () => {
  const rib = new Rib()
  rib.set('default/a', [route()])
  rib.set('default/b', [route()])
  assert.deepEqual(changed(rib), ['203.0.113.0/24'])
  rib.delete('default/a')
  assert.ok(rib.routeFor('tor', prefix))
  rib.delete('default/b')
  assert.deepEqual(changed(rib), ['203.0.113.0/24'])
  assert.equal(rib.routeFor('tor', prefix), undefined)
  assert.deepEqual([...rib.routesFor('tor')], [])
})

test('where nothing but the weight changes that is marked apart; it is part of any other change', () => {
  const rib = new Rib()
  const other = route({ prefix: parsePrefix('198.51.100.1/32')! })
  rib.set('default/a', [route({ linkBandwidth: 10 }), other])
  assert.equal(rib.isReweighed, false)
  changed(rib)
  rib.set('default/a', [route({ linkBandwidth: 20 }), other])
  assert.deepEqual([changed(rib), rib.isReweighed], [[], true])
  assert.deepEqual(rib.takeReweighed().map(formatPrefix), ['203.0.113.0/24', '198.51.100.1/32'])
  rib.set('default/a', [route({ linkBandwidth: 30 }), other])
  rib.set('default/a', [route({ linkBandwidth: 30, med: 1 }), other])
  assert.deepEqual([changed(rib).length, rib.isReweighed], [2, false])
})

test('weights add up over Services, not over the advertisements of one', () => {
  const rib = new Rib()
  rib.set('default/a', [route({ linkBandwidth: 10 }), route({ linkBandwidth: 30, advertisement: 'B' })])
  rib.set('default/b', [route({ linkBandwidth: 5 })])
  rib.set('default/c', [route({ linkBandwidth: 100, peers: new Set(['other']) })])
  assert.equal(rib.routeFor('tor', prefix)?.attributes.linkBandwidth, 35)
  rib.set('default/d', [route({ prefix: parsePrefix('198.51.100.1/32')! })])
  assert.equal(rib.routeFor('tor', parsePrefix('198.51.100.1/32')!)?.attributes.linkBandwidth, undefined)
})

test('copies add up as weights do, to the most that the peer is sent', () => {
  const rib = new Rib()
  rib.set('default/a', [route({ paths: 2 }), route({ paths: 3, advertisement: 'B' })])
  rib.set('default/b', [route()])
  rib.set('default/c', [route({ paths: 7, peers: new Set(['other']) })])
  const paths = (peer: string, most?: number) => rib.routeFor(peer, prefix, most)?.attributes.paths
  assert.deepEqual(
    [undefined, 1, 2, 4, 64].map(most => paths('tor', most)),
    [undefined, undefined, 2, 4, 4],
  )
  assert.equal(paths('other', 64), 11)
  assert.deepEqual(
    [...rib.routesFor('tor', 3)].map(({ attributes }) => attributes.paths),
    [3],
  )
  changed(rib)
  rib.set('default/b', [route({ paths: 2 })])
  assert.deepEqual([changed(rib), rib.takeReweighed().map(formatPrefix)], [[], ['203.0.113.0/24']])
})

test('only prefixes that may have changed are named', () => {
  const rib = new Rib()
  rib.set('default/a', [route()])
  rib.set('default/b', [route({ prefix: parsePrefix('198.51.100.1/32')! })])
  rib.takeChanged()
  rib.set('default/b', [route({ prefix: parsePrefix('198.51.100.2/32')! })])
  assert.deepEqual(changed(rib).sort(), ['198.51.100.1/32', '198.51.100.2/32'])
  assert.deepEqual(changed(rib), [])
})

test('a peer gets what is meant for it', () => {
  const rib = new Rib()
  rib.set('default/a', [route({ peers: new Set(['tor-a']) })])
  assert.ok(rib.routeFor('tor-a', prefix))
  assert.equal(rib.routeFor('tor-b', prefix), undefined)
})

test('D24 routes of one prefix: communities united, the highest preference, whatever the order', () => {
  const routes = [
    route({ localPref: 50, communities: [standard(1, 1)] }),
    route({ localPref: 150, communities: [standard(1, 2), standard(1, 1)] }),
    route({ communities: [{ kind: 'large', parts: [1, 1, 1] }] }),
  ]
  for (const order of [routes, [...routes].reverse()]) {
    const rib = new Rib()
    for (const [index, one] of order.entries()) rib.set(`default/${index}`, [one])
    const { localPref, communities } = rib.routeFor('tor', prefix)!.attributes
    assert.equal(localPref, 150)
    assert.deepEqual(communities.map(formatCommunity).sort(), ['1:1', '1:1:1', '1:2'])
  }
})

test('of equal preference the shorter path and then the lower MED are kept', () => {
  const routes = [route({ prepend: 2, med: 1 }), route({ prepend: 1, med: 9 }), route({ prepend: 1, med: 5 })]
  for (const order of [routes, [...routes].reverse()]) {
    const rib = new Rib()
    rib.set('default/a', order)
    const { prepend, med } = rib.routeFor('tor', prefix)!.attributes
    assert.deepEqual([prepend, med], [1, 5])
  }
})

test('an unset preference is the default and beats a lower one', () => {
  const rib = new Rib()
  rib.set('default/a', [route({ localPref: 50 }), route()])
  assert.equal(rib.routeFor('tor', prefix)?.attributes.localPref, undefined)
})
