import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeMetrics } from '../../testing/fake-metrics.ts'
import { withFrrK8sNames } from './frrk8s-metrics.ts'

const named = (name: string) => ({ name, help: '', labels: ['peer', 'vrf'] })

function open() {
  const metrics = new FakeMetrics()
  const theirs = () =>
    [...metrics.series].filter(([key]) => key.startsWith('frrk8s_')).map(([key, value]) => `${key} ${value}`)
  return { metrics, both: withFrrK8sNames(metrics), theirs }
}

// The labels of chapter 04 section 7.3: the peer without its port.
const PEERS: [ours: string, theirs: string][] = [
  ['192.0.2.1:179', '192.0.2.1'],
  ['2001:db8:1::1:179', '2001:db8:1::1'],
  ['eth1:179', 'eth1'],
]
for (const [ours, theirs] of PEERS)
  test(`the peer ${ours} is ${theirs} there`, () => {
    const world = open()
    const gauge = world.both.gauge(named('metallb_bgp_session_up'))
    gauge.set(1, { peer: ours, vrf: 'red' })
    assert.deepEqual(
      [...world.metrics.series],
      [
        [`metallb_bgp_session_up{peer="${ours}",vrf="red"}`, 1],
        [`frrk8s_bgp_session_up{peer="${theirs}",vrf="red"}`, 1],
      ],
    )
    gauge.remove({ peer: ours, vrf: 'red' })
    assert.deepEqual([...world.metrics.series], [])
  })

test('two ports of one router are shown together: up where both are, counts added', () => {
  const { both, theirs } = open()
  const [first, second] = [{ peer: '192.0.2.1:179' }, { peer: '192.0.2.1:1179' }]
  for (const [name, values] of [
    ['session_up', [1, 0]],
    ['announced_prefixes_total', [3, 4]],
  ] as const) {
    both.gauge(named(`metallb_bgp_${name}`)).set(values[0], first)
    both.gauge(named(`metallb_bgp_${name}`)).set(values[1], second) // each session asks for the metric
  }
  assert.deepEqual(theirs(), [
    'frrk8s_bgp_session_up{peer="192.0.2.1"} 0',
    'frrk8s_bgp_announced_prefixes_total{peer="192.0.2.1"} 7',
  ])
  both.gauge(named('metallb_bgp_session_up')).remove(second)
  assert.equal(theirs()[0], 'frrk8s_bgp_session_up{peer="192.0.2.1"} 1')
})

test('counters too, and addresses of BFD peers stay whole', () => {
  const { both, theirs } = open()
  const opens = both.counter(named('metallb_bgp_opens_sent'))
  opens.inc({ peer: '192.0.2.1:179' })
  opens.inc({ peer: '192.0.2.1:179' }, 2)
  both.counter(named('metallb_bfd_control_packet_input')).inc({ peer: '2001:db8::1:179' })
  assert.deepEqual(theirs(), [
    'frrk8s_bgp_opens_sent{peer="192.0.2.1"} 3',
    'frrk8s_bfd_control_packet_input{peer="2001:db8::1:179"} 1',
  ])
  opens.remove({ peer: '192.0.2.1:179' })
  assert.equal(theirs().length, 1)
})
