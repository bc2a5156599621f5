import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeMetrics } from '../../testing/fake-metrics.ts'
import { IgnoredCounter } from './layer2-counts.ts'

const key = (name: string, reason: string) =>
  `metallb_layer2_requests_ignored_total{interface="${name}",reason="${reason}"}`

test('what was not answered adds up, and goes with its interface', () => {
  const metrics = new FakeMetrics()
  const counter = new IgnoredCounter(metrics)
  const reasons = new Map([['announceIP', 2]])
  counter.add([{ interface: 'eth0', reasons }])
  counter.add([
    { interface: 'eth0', reasons: new Map([...reasons, ['malformed', 1]]) },
    { interface: 'eth1', reasons },
  ])
  const eth0 = [
    [key('eth0', 'announceIP'), 4],
    [key('eth0', 'malformed'), 1],
  ]
  assert.deepEqual([...metrics.series], [...eth0, [key('eth1', 'announceIP'), 2]])
  counter.keep(new Set(['eth0', 'lo']))
  assert.deepEqual([...metrics.series], eth0)
})
