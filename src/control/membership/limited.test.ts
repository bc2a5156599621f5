import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../testing/fake-clock.ts'
import { FakeLog } from '../../testing/fake-log.ts'
import { FakeMetrics } from '../../testing/fake-metrics.ts'
import { FakeNetwork } from '../../testing/fake-network.ts'
import { FakeRandom } from '../../testing/fake-random.ts'
import { limited, RefusedPackets } from './index.ts'

test('IMP-22 what a source sends beyond its share is refused, counted and complained about once a minute', () => {
  const clock = new FakeClock()
  const network = new FakeNetwork(clock, new FakeRandom())
  const [log, metrics] = [new FakeLog(), new FakeMetrics()]
  const refused = new RefusedPackets('memberlist', { clock, log, metrics })
  const heard = new Map<string, number>()
  const socket = limited(network.open('10.0.0.1', 7946), {
    clock,
    knows: address => address === '10.0.0.2' || address === '10.0.0.3',
    refuse: from => refused.note({ code: 'RATE_LIMITED', from, detail: 'too many', times: 1 }),
  })
  socket.receive(({ from }) => void heard.set(from, (heard.get(from) ?? 0) + 1))
  const send = (from: string, count: number) => {
    const sender = network.open(from, 7946)
    for (let sent = 0; sent < count; sent++) sender.send(new Uint8Array(1), '10.0.0.1', 7946)
  }
  send('10.0.0.2', 2000)
  send('10.0.0.3', 100)
  for (let stranger = 0; stranger < 100; stranger++) send(`10.9.0.${stranger}`, 10)
  clock.advance(0)
  const strangers = [...heard].filter(([from]) => from.startsWith('10.9.')).reduce((sum, [, count]) => sum + count, 0)
  assert.deepEqual([heard.get('10.0.0.2'), heard.get('10.0.0.3'), strangers], [500, 100, 500])
  assert.deepEqual([...metrics.series], [['metallb_memberlist_packets_refused_total{reason="rateLimited"}', 2000]])
  assert.equal(log.lines.filter(({ level }) => level === 'warn').length, 1)
})
