import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from '../../core/ip/index.ts'
import { aBgpPeer } from '../../testing/bgp-peer.ts'
import { BgpWorld, OURS } from '../../testing/bgp-world.ts'
import { FakeMetrics } from '../../testing/fake-metrics.ts'
import { anInterface } from '../../testing/fake-speaker.ts'
import { NotificationCounts } from './notification-counts.ts'

const peer = { peer: '192.0.2.1:179' }
const notification = (code: number, subcode: number) =>
  ({ kind: 'notification', code, subcode, data: new Uint8Array() }) as const
const countsIn = (metrics: FakeMetrics) =>
  [...metrics.series]
    .filter(([key]) => key.startsWith('metallb_bgp_notifications_total'))
    .map(([key, count]) => {
      const label = (name: string) => key.match(`${name}="(.*?)"`)![1]
      return `${label('direction')} ${label('[{,]code')}/${label('subcode')} ${count}`
    })
const lastIn = (metrics: FakeMetrics) => metrics.series.get('metallb_bgp_session_last_error_code{peer="192.0.2.1:179"}')

test('each NOTIFICATION is counted by what it says, and the last one is a number', () => {
  const metrics = new FakeMetrics()
  const counts = new NotificationCounts(metrics, peer)
  counts.count('sent', notification(6, 2))
  counts.count('received', notification(6, 2))
  counts.count('received', notification(6, 2))
  counts.count('received', notification(4, 0))
  assert.deepEqual(countsIn(metrics), ['sent 6/2 1', 'received 6/2 2', 'received 4/0 1'])
  assert.equal(lastIn(metrics), 0x0400)
  counts.remove()
  assert.deepEqual([...metrics.series.keys()], [])
})

test('a peer that makes codes up does not make series without end', () => {
  const metrics = new FakeMetrics()
  const counts = new NotificationCounts(metrics, peer)
  for (let code = 0; code < 100; code++) counts.count('received', notification(code, 7))
  assert.equal(countsIn(metrics).length, 33)
  assert.equal(countsIn(metrics).at(-1), 'received other/other 68')
  counts.remove()
  assert.deepEqual([...metrics.series.keys()], [])
})

test('a session counts what it sends and receives, since when it is up, and takes all with it', async () => {
  const world = new BgpWorld()
  const router = await world.router()
  world.clock.advance(5000)
  const bornAt = world.clock.now()
  world.peers(aBgpPeer())
  world.up()
  const since = world.series('session_established_timestamp_seconds')!
  assert.ok(since >= Math.floor(bornAt / 1000) && since <= world.clock.now() / 1000, `${since}`)
  assert.equal(world.series('received_prefixes_total'), 0)
  router.stop({ kind: 'reset', text: 'maintenance' })
  world.until(() => world.series('session_up') === 0)
  assert.equal(world.series('session_established_timestamp_seconds'), undefined)
  assert.deepEqual(countsIn(world.metrics), ['received 6/4 1'])
  assert.equal(lastIn(world.metrics), 0x0604)
  world.peers()
  assert.deepEqual([...world.metrics.series.keys()], [])
})

test('a wrong ASN is a NOTIFICATION of ours', async () => {
  const world = new BgpWorld()
  await world.router('192.0.2.1', { localAsn: 64502 })
  world.peers(aBgpPeer())
  world.until(() => countsIn(world.metrics).some(line => line.startsWith('sent 2/2 ')))
})

test('what a router hears of a further connection is counted with its session; a stranger is in no series', async () => {
  const world = new BgpWorld({ listens: true })
  await world.router()
  world.peers(aBgpPeer())
  await new Promise(resolve => setImmediate(resolve)) // the listener is there
  world.up()
  const heard: number[] = []
  const events = {
    connected() {},
    data: (bytes: Uint8Array) => void heard.push(...bytes),
    drained() {},
    closed() {},
  }
  const dial = (from: string) => world.streams.host(parseAddress(from)!).connect({ address: OURS, port: 179 }, events)
  dial('192.0.2.1')
  world.until(() => heard.length === 21)
  assert.deepEqual(heard.slice(19), [6, 7])
  dial('198.51.100.1')
  world.until(() => heard.length === 42)
  assert.deepEqual(heard.slice(40), [6, 5])
  assert.deepEqual(countsIn(world.metrics), ['sent 6/7 1'])
  assert.equal(lastIn(world.metrics), 0x0607)
  assert.equal(world.bgp.sessions.get('tor-a')?.status.state, 'established')
  world.clock.advance(5000)
  assert.equal(world.series('notifications_sent'), 1)
})

test('of two sessions with the same series the last takes them with it, whoever counted', async () => {
  const world = new BgpWorld()
  const other = parseAddress('192.0.2.11')!
  const addresses = [OURS, other].map(address => ({ address, length: 24 }))
  world.interfaces.set(anInterface('eth0', { addresses }))
  await world.router()
  const first = aBgpPeer({ sourceAddress: OURS })
  world.peers(first, aBgpPeer({ name: 'tor-b', sourceAddress: other, remoteAs: 64999 }))
  world.until(() => countsIn(world.metrics).some(line => line.startsWith('sent 2/2 ')))
  world.peers(first)
  assert.ok(countsIn(world.metrics).length > 0, 'a counter does not go back while there is a session')
  world.peers()
  assert.deepEqual([...world.metrics.series.keys()], [])
})
