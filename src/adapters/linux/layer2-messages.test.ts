import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from '../../core/ip/index.ts'
import { COUNTERS, GRATUITOUS, RECEIVED } from '../../protocols/arp/index.ts'
import { FakeMetrics } from '../../testing/fake-metrics.ts'
import { CountCollector } from './layer2-counts.ts'
import { packTable, unpackTable } from './layer2-messages.ts'
import { LineLimit } from './line-limit.ts'

const row = (text: string, ...interfaces: string[]) => ({
  address: parseAddress(text)!,
  interfaces: interfaces.length === 0 ? ('all' as const) : new Set(interfaces),
})

test('a table crosses to the other thread whole; equal sets of interfaces cross once', () => {
  const { table, texts } = packTable([row('192.168.1.240'), row('10.0.0.1', 'a', 'b'), row('10.0.0.2', 'b', 'a')])
  const { claims } = unpackTable(structuredClone(table))
  assert.deepEqual(texts, ['192.168.1.240', '10.0.0.1', '10.0.0.2'])
  assert.equal(table.sets.length, 2)
  assert.deepEqual(claims.get(0xc0a801f0 | 0), { interfaces: 'all', slot: 0 })
  assert.deepEqual(claims.get(0x0a000002), { interfaces: new Set(['a', 'b']), slot: 2 })
})

test('an address named twice is answered on the interfaces of both', () => {
  const claim = (...rows: Parameters<typeof packTable>[0]) =>
    unpackTable(packTable(rows).table).claims.get(0x0a000001)?.interfaces
  assert.deepEqual(claim(row('10.0.0.1', 'a'), row('10.0.0.1', 'b')), new Set(['a', 'b']))
  assert.equal(claim(row('10.0.0.1', 'a'), row('10.0.0.1')), 'all')
})

test('what the worker counts becomes metrics, each packet once, and wrapping numbers go on', () => {
  const metrics = new FakeMetrics()
  const collector = new CountCollector(metrics)
  const packed = packTable([row('10.0.0.1'), row('10.0.0.2')])
  const received = 'metallb_layer2_requests_received{ip="10.0.0.1"}'
  packed.table.counts[RECEIVED] = 0xfffffffe
  packed.table.counts[COUNTERS + GRATUITOUS] = 10
  collector.collect(packed)
  packed.table.counts[RECEIVED]! += 5
  collector.collect(packed)
  collector.collect(packed)
  assert.deepEqual(Object.fromEntries(metrics.series), {
    [received]: 0xfffffffe + 5,
    'metallb_layer2_gratuitous_sent{ip="10.0.0.2"}': 10,
  })
})

test('so many lines pass in a second, the next one tells how many were held back', () => {
  const limit = new LineLimit(2)
  assert.deepEqual(
    [0, 1, 2, 999].map(now => limit.pass(now)),
    [0, 0, undefined, undefined],
  )
  assert.deepEqual(
    [1000, 1001, 1002].map(now => limit.pass(now)),
    [2, 0, undefined],
  )
})
