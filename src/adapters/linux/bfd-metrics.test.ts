import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from '../../core/ip/index.ts'
import type { LivenessStatus, LivenessTarget } from '../../ports/index.ts'
import { FakeMetrics } from '../../testing/fake-metrics.ts'
import { BfdMetrics, NO_COUNTS } from './bfd-metrics.ts'

const to = (peer: string, more: Partial<LivenessTarget> = {}): LivenessTarget => ({
  peer: parseAddress(peer)!,
  multihop: false,
  ...more,
})
const counted = (session: LivenessTarget, controlInput: number): LivenessStatus =>
  ({ ...session, ...NO_COUNTS, controlInput }) as LivenessStatus

const LABELS: [name: string, session: LivenessTarget, labels: string][] = [
  ['a peer', to('192.0.2.1'), 'peer="192.0.2.1"'],
  ['a peer in a VRF', to('192.0.2.1', { interface: 'red' }), 'peer="192.0.2.1",vrf="red"'],
  ['the router of a link', to('fe80::1', { interface: 'eth1' }), 'peer="fe80::1%eth1"'],
]
for (const [name, session, labels] of LABELS)
  test(`the labels of ${name}: ${labels}`, () => {
    const metrics = new FakeMetrics()
    new BfdMetrics(metrics).begin(session)
    assert.deepEqual([...metrics.series], [[`metallb_bfd_session_up{${labels}}`, 0]])
  })

test('sessions with one peer are up where all are, count together, and take the series with the last', () => {
  const fake = new FakeMetrics()
  const metrics = new BfdMetrics(fake)
  const series = (name: string) => fake.series.get(`metallb_bfd_${name}{peer="192.0.2.1"}`)
  const [one, other] = ['192.0.2.10', '192.0.2.11'].map(local => to('192.0.2.1', { local: parseAddress(local)! }))
  metrics.begin(one!)
  metrics.begin(other!)
  metrics.changed(one!, true)
  assert.deepEqual([series('session_up'), series('zebra_notifications')], [0, 1])
  metrics.changed(other!, true)
  assert.equal(series('session_up'), 1)
  metrics.report(one!, NO_COUNTS, counted(one!, 3))
  metrics.report(other!, NO_COUNTS, counted(other!, 4))
  assert.equal(series('control_packet_input'), 7)
  metrics.changed(other!, false)
  metrics.end(other!)
  assert.deepEqual([series('session_up'), series('control_packet_input')], [1, 7])
  metrics.end(one!)
  assert.deepEqual([...fake.series.keys()], [])
})
