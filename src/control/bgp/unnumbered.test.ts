import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from '../../core/ip/index.ts'
import { aBgpPeer } from '../../testing/bgp-peer.ts'
import { BgpWorld } from '../../testing/bgp-world.ts'
import { anInterface } from '../../testing/fake-speaker.ts'
import { settingsOf, targetOf } from './settings.ts'

const ROUTER = 'fe80::1'
const OTHER = 'fe80::2'
const peer = { ...aBgpPeer({ name: 'spine' }), endpoint: { interface: 'eth1' } }

/** eth1 has a link-local address; another interface has one of the same network, as all have. */
async function world() {
  const world = new BgpWorld()
  const linkLocal = (text: string) => [{ address: parseAddress(text)!, length: 64 }]
  world.interfaces.set(
    anInterface('eth0', { addresses: linkLocal('fe80::a') }),
    anInterface('eth1', { index: 2, addresses: linkLocal('fe80::b') }),
  )
  const options = { identifier: parseAddress('198.51.100.1')!, extendedNextHop: true }
  return { world, router: await world.router(ROUTER, options), other: () => world.router(OTHER, options) }
}

const refused = (world: BgpWorld) => world.lines('failed to create BGP session').map(({ fields }) => fields.error)

test('an unnumbered peer is dialled on its interface once the router there says that it is one', async () => {
  const { world: node } = await world()
  node.peers(peer)
  assert.deepEqual(node.routers.watched, ['eth1'])
  assert.deepEqual(refused(node), ['no router advertises itself on interface eth1'])
  assert.equal(node.bgp.state()[0]?.missing, 'no router advertises itself on interface eth1')
  node.routers.hear('eth1', ROUTER)
  node.up('spine')
  const [state] = node.bgp.state()
  assert.deepEqual([state?.address, state?.linkLocal, state?.families], ['eth1', ROUTER, ['ipv4', 'ipv6']])
  const [up] = node.lines('BGP session established')
  assert.equal(up?.fields.peer, 'eth1')
  assert.equal(node.metrics.series.get('metallb_bgp_session_up{peer="eth1:179"}'), 1)
})

test('the address is of the link: the connection and its next hops are too', () => {
  const found = { ...peer, endpoint: { address: parseAddress(ROUTER)!, interface: 'eth1' } }
  assert.equal(targetOf(found).scope, 'eth1')
  const settings = settingsOf(found, 'worker-a', false)
  assert.deepEqual([settings.families, settings.extendedNextHop], [['ipv4', 'ipv6'], true])
})

test('a link that goes down ends the session at once, and one that is back begins it at once', async () => {
  const { world: node } = await world()
  node.peers(peer)
  node.routers.hear('eth1', ROUTER)
  node.up('spine')
  node.routers.fail('eth1', 'interface eth1 has no carrier')
  assert.deepEqual(
    node.lines('BGP session down').map(({ fields }) => fields.reason),
    ['interface eth1 has no carrier'],
  )
  assert.notEqual(node.bgp.sessions.get('spine')?.status.state, 'established')
  node.routers.hear('eth1', ROUTER)
  node.until(() => node.bgp.sessions.get('spine')?.status.state === 'established', 1000)
  assert.deepEqual(refused(node), ['no router advertises itself on interface eth1'], 'said once')
})

test('why the link bears no session is shown, also where none was up', async () => {
  const { world: node } = await world()
  node.peers(peer)
  node.routers.hear('eth1', ROUTER)
  const missing = () => node.bgp.state()[0]?.missing
  assert.deepEqual([node.bgp.state()[0]?.state === 'established', missing()], [false, undefined])
  node.routers.fail('eth1', 'interface eth1 has no carrier')
  assert.equal(missing(), 'interface eth1 has no carrier')
  node.routers.fail('eth1', 'interface eth1 is down')
  assert.equal(missing(), 'interface eth1 is down')
  node.routers.hear('eth1', ROUTER)
  node.up('spine')
  assert.equal(missing(), undefined)
})

test('a router with another address is another session; two at once are none', async () => {
  const { world: node, other } = await world()
  await other()
  node.peers(peer)
  node.routers.hear('eth1', ROUTER)
  node.up('spine')
  node.routers.hear('eth1')
  node.routers.hear('eth1', ROUTER, OTHER)
  assert.equal(node.lines('BGP session down').length, 0, 'a session that is up needs no advertisements')
  node.streams.cut()
  node.until(() => node.lines('BGP session down').length === 1)
  node.routers.hear('eth1', OTHER, ROUTER)
  const why = /^more than one router on interface eth1 \(fe80::2, fe80::1\)/
  assert.match(String(refused(node).at(-1)), why)
  assert.match(String(node.bgp.state()[0]?.missing), why)
  node.routers.hear('eth1', OTHER)
  node.up('spine')
  assert.equal(node.bgp.state()[0]?.linkLocal, OTHER)
})

test('BFD watches the router on the interface', async () => {
  const { world: node } = await world()
  node.peers({ ...peer, bfdProfile: 'fast' })
  node.routers.hear('eth1', ROUTER)
  node.up('spine')
  const [target] = node.targets
  assert.deepEqual([target?.interface, target?.multihop], ['eth1', false])
})

test('interfaces that no peer names any more are left alone', async () => {
  const { world: node } = await world()
  node.peers(peer, { ...aBgpPeer({ name: 'leaf' }), endpoint: { interface: 'eth0' } })
  assert.deepEqual(node.routers.watched.sort(), ['eth0', 'eth1'])
  node.peers(peer)
  assert.deepEqual(node.routers.watched, ['eth1'])
  await node.bgp.stop()
  assert.deepEqual(node.routers.watched, [])
})
