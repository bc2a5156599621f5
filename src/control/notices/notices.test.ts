import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  bfdProfiles,
  bgpAdvertisements,
  bgpPeers,
  communities,
  ipAddressPools,
  l2Advertisements,
  namespaces,
  services,
} from '../../api/index.ts'
import type { EventTarget } from '../../ports/index.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { FakeKube } from '../../testing/fake-kube.ts'
import { Notices } from './index.ts'
import { AT_ONCE, GRACE_MS } from './told.ts'

const namespace = 'metallb-system'

/** A controller that leads, on an empty cluster. */
function open({ active = true } = {}) {
  const kube = new FakeKube()
  const clock = new FakeClock()
  const told: string[] = []
  const recorder = {
    event: (on: EventTarget, type: string, reason: string, message: string) =>
      void told.push(`${on.kind} ${on.name}: ${type} ${reason} ${message}`),
  }
  const notices = new Notices({
    ...{ recorder, clock, namespace, lbClass: '', services: kube.informer(services) },
    sources: {
      pools: kube.informer(ipAddressPools),
      communities: kube.informer(communities),
      namespaces: kube.informer(namespaces),
      l2Advertisements: kube.informer(l2Advertisements),
      bgpAdvertisements: kube.informer(bgpAdvertisements),
      peers: kube.informer(bgpPeers),
      bfdProfiles: kube.informer(bfdProfiles),
    },
  })
  notices.start()
  notices.setActive(active)
  const pool = (name: string, range: string, generation = 1) =>
    kube.put(ipAddressPools, { metadata: { name, namespace, generation }, spec: { addresses: [range] } })
  const service = (name: string, ip?: string, labels = {}, spec = {}) =>
    kube.put(services, {
      metadata: { name, namespace: 'shop', labels },
      spec: { type: 'LoadBalancer', ...spec },
      status: { loadBalancer: ip === undefined ? {} : { ingress: [{ ip }] } },
    })
  const l2 = (spec = {}) => kube.put(l2Advertisements, { metadata: { name: 'l2', namespace, generation: 1 }, spec })
  /** As long as anything could still be told. */
  const wait = () => {
    for (let round = 0; round < 3; round++) clock.advance(GRACE_MS)
    return told.splice(0)
  }
  return { kube, clock, told, notices, pool, service, l2, wait }
}

const POOL =
  'IPAddressPool blue: Warning notAdvertised no L2Advertisement or BGPAdvertisement selects pool blue: addresses are handed out, and no node announces them'
const WEB =
  'Service web: Warning notAdvertised no node announces it: no L2Advertisement or BGPAdvertisement selects pool blue'

test('an address that no advertisement asks for is told on pool and Service, once, and again after it was well', () => {
  const { kube, pool, service, l2, wait } = open()
  pool('blue', '192.0.2.0/24')
  service('waits')
  assert.deepEqual(wait(), [], 'a pool that nobody has addresses of is nobody’s trouble')
  service('web', '192.0.2.1')
  assert.deepEqual(wait(), [POOL, WEB])
  service('web', '192.0.2.1', { touched: 'again' })
  assert.deepEqual(wait(), [])
  l2({ ipAddressPools: ['other'] })
  assert.deepEqual(wait(), [])
  l2()
  kube.put(l2Advertisements, { metadata: { name: 'l2', namespace, generation: 2 }, spec: { ipAddressPools: ['blue'] } })
  assert.deepEqual(wait(), [])
  kube.remove(l2Advertisements, { name: 'l2', namespace })
  assert.deepEqual(wait(), [POOL, WEB])
})

test('a BGPAdvertisement counts; one for other Services is told on the Service alone', () => {
  const { kube, pool, service, wait } = open()
  pool('blue', '192.0.2.0/24')
  kube.put(bgpAdvertisements, {
    metadata: { name: 'prod', namespace },
    spec: { serviceSelectors: [{ matchLabels: { env: 'prod' } }] },
  })
  service('web', '192.0.2.1', { env: 'prod' })
  service('dev', '192.0.2.2', { env: 'dev' })
  assert.deepEqual(wait(), [
    'Service dev: Warning notAdvertised no node announces it: the advertisements of pool blue, prod, select other services',
  ])
})

test('what comes right within the grace is never told, nor Services of another class', () => {
  const { pool, service, l2, clock, told, wait } = open()
  pool('blue', '192.0.2.0/24')
  service('web', '192.0.2.1')
  clock.advance(GRACE_MS)
  l2()
  assert.deepEqual([...told, ...wait()], [])
  const other = open()
  other.pool('blue', '192.0.2.0/24')
  other.service('web', '192.0.2.1', {}, { loadBalancerClass: 'other' })
  assert.deepEqual(other.wait(), [])
})

test('objects at fault are told why the newest configuration is not in force; what was told of the former holds', () => {
  const { pool, service, wait } = open()
  pool('blue', '192.0.2.0/24')
  service('web', '192.0.2.1')
  assert.deepEqual(wait(), [POOL, WEB])
  pool('green', '192.0.2.128/25')
  const [rejected, ...more] = wait()
  assert.deepEqual(more, [])
  assert.match(
    rejected!,
    /^IPAddressPool green: Warning configRejected the last valid configuration stays in force: spec\.addresses\[0\]: CIDR .* overlaps/,
  )
  pool('green', '192.0.3.0/24', 2)
  assert.deepEqual(wait(), [], 'the Service was told before')
})

test('a peer with several faults is told of all at once, within what the API stores', () => {
  const { kube, wait } = open()
  const spec = { myASN: 64512, peerASN: 64513, peerAddress: 'x'.repeat(2000), holdTime: '1s', bfdProfile: 'none' }
  kube.put(bgpPeers, { metadata: { name: 'tor', namespace }, spec })
  const [told, ...more] = wait()
  assert.deepEqual(more, [])
  assert.match(told!, /^BGPPeer tor: Warning configRejected the last valid configuration stays in force: spec\./)
  assert.ok(told!.length <= 1024 + 'BGPPeer tor: Warning configRejected '.length)
})

test('many are told in portions', () => {
  const { pool, service, clock, told } = open()
  pool('blue', '192.0.2.0/24')
  for (let index = 0; index < AT_ONCE + 20; index++) service(`web-${index}`, `192.0.2.${index}`)
  clock.advance(2 * GRACE_MS)
  assert.equal(told.splice(0).length, AT_ONCE)
  clock.advance(GRACE_MS)
  assert.equal(told.length, 21, 'with the pool')
  clock.advance(10 * GRACE_MS)
  assert.equal(told.length, 21)
  assert.equal(clock.armed, 0)
})

test('of several controllers only the one that leads tells', () => {
  const { notices, pool, service, wait } = open({ active: false })
  pool('blue', '192.0.2.0/24')
  service('web', '192.0.2.1')
  assert.deepEqual(wait(), [])
  notices.setActive(true)
  assert.deepEqual(wait(), [POOL, WEB])
  notices.setActive(false)
  notices.setActive(true)
  assert.deepEqual(wait(), [POOL, WEB], 'it does not know what the former told')
})
