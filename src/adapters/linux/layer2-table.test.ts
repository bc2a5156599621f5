import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatAddress, parseAddress } from '../../core/ip/index.ts'
import type { AnnouncedAddress } from '../../ports/index.ts'
import { type Claim, COUNTERS, GRATUITOUS, RECEIVED } from '../../protocols/ethernet/index.ts'
import { FakeMetrics } from '../../testing/fake-metrics.ts'
import { CountCollector } from './layer2-counts.ts'
import { claimsOf, isIPv4, type Key, type TableChange } from './layer2-messages.ts'
import { Layer2Table } from './layer2-table.ts'
import { LineLimit } from './line-limit.ts'

const row = (text: string, ...interfaces: string[]): AnnouncedAddress => ({
  address: parseAddress(text)!,
  interfaces: interfaces.length === 0 ? 'all' : new Set(interfaces),
})

/** What a worker has after the parts have crossed to it. */
class Worker {
  readonly claims = new Map<Key, Claim>()

  hear(parts: readonly TableChange[]): this {
    for (const part of parts.map(part => structuredClone(part))) {
      for (const ip of part.removed) this.claims.delete(ip)
      for (const [ip, claim] of claimsOf(part)) this.claims.set(ip, claim)
    }
    return this
  }

  get text(): string[] {
    const entries = [...this.claims].map(([key, { interfaces }]) => {
      const names = interfaces === 'all' ? interfaces : [...interfaces].sort().join('+')
      return `${formatAddress(isIPv4(key) ? { family: 'ipv4', value: BigInt(key >>> 0) } : { family: 'ipv6', value: key })} ${names}`
    })
    return entries.sort()
  }
}

const sizes = (parts: readonly TableChange[]) => parts.map(({ set, removed }) => [set.length, removed.length])

test('only what changed crosses to the worker', () => {
  const table = new Layer2Table()
  const worker = new Worker()
  worker.hear(table.replace([row('2001:db8::f'), row('192.168.1.240'), row('10.0.0.1', 'a', 'b')]).parts)
  assert.deepEqual(worker.text, ['10.0.0.1 a+b', '192.168.1.240 all', '2001:db8::f all'])
  const same = table.replace([row('10.0.0.1', 'b', 'a'), row('192.168.1.240'), row('2001:db8::f')])
  assert.deepEqual(sizes(same.parts), [[0, 0]], 'one empty part, to be confirmed')
  const other = table.replace([row('10.0.0.1', 'a', 'c'), row('10.0.0.2')])
  assert.deepEqual(sizes(other.parts), [[2, 2]])
  assert.deepEqual(worker.hear(other.parts).text, ['10.0.0.1 a+c', '10.0.0.2 all'])
  assert.deepEqual(new Worker().hear(table.everything()).text, worker.text)
})

test('a large table crosses in parts', () => {
  const rows = Array.from({ length: 1200 }, (_, index) => row(`10.0.${index >> 8}.${index & 255}`))
  const table = new Layer2Table()
  const { parts } = table.replace(rows)
  assert.deepEqual(sizes(parts), [
    [500, 0],
    [500, 0],
    [200, 0],
  ])
  assert.equal(new Worker().hear(parts).claims.size, 1200)
  assert.deepEqual(sizes(table.replace(rows.slice(0, 100)).parts), [
    [0, 500],
    [0, 500],
    [0, 100],
  ])
})

test('an address named twice is answered on the interfaces of both', () => {
  const text = (...rows: AnnouncedAddress[]) => new Worker().hear(new Layer2Table().replace(rows).parts).text
  assert.deepEqual(text(row('10.0.0.1', 'a'), row('10.0.0.1', 'b')), ['10.0.0.1 a+b'])
  assert.deepEqual(text(row('10.0.0.1', 'a'), row('10.0.0.1')), ['10.0.0.1 all'])
})

test('of former owners the order counts: the first is asked for the address', () => {
  const after = (text: string, ...nodes: string[]) => ({ ...row(text), after: nodes })
  const table = new Layer2Table()
  const worker = new Worker()
  const afters = () => [...worker.claims.values()].map(claim => claim.after?.join())
  worker.hear(
    table.replace([after('10.0.0.1', 'a', 'b'), after('10.0.0.2', 'b', 'a'), after('10.0.0.3', 'a', 'b')]).parts,
  )
  assert.deepEqual(afters(), ['a,b', 'b,a', 'a,b'])
  worker.hear(table.replace([after('10.0.0.1', 'b', 'a'), after('10.0.0.2', 'b', 'a')]).parts)
  assert.deepEqual(afters(), ['b,a', 'b,a'])
})

test('a slot is given to another address only once it was released', () => {
  const table = new Layer2Table()
  const slot = ({ parts }: { parts: readonly TableChange[] }) => parts[0]!.slots[0]
  assert.equal(slot(table.replace([row('10.0.0.1')])), 0)
  const next = table.replace([row('10.0.0.2')])
  assert.equal(slot(next), 1)
  assert.deepEqual(next.freed, [0])
  table.release(next.freed)
  assert.equal(slot(table.replace([row('10.0.0.2'), row('10.0.0.3')])), 0)
  assert.deepEqual(table.texts, ['10.0.0.3', '10.0.0.2'])
})

test('an address that moves to other interfaces keeps its slot', () => {
  const table = new Layer2Table()
  table.replace([row('10.0.0.1', 'a')])
  const { parts, freed } = table.replace([row('10.0.0.1', 'b')])
  assert.deepEqual([parts[0]!.slots, freed], [[0], []])
})

test('whatever the changes, the worker ends up with the last table, and no slot is used twice', () => {
  const rows = fc
    .uniqueArray(fc.nat(20), { maxLength: 12 })
    .map(numbers => numbers.map(number => row(`10.0.0.${number}`)))
  fc.assert(
    fc.property(fc.array(rows, { minLength: 1 }), tables => {
      const table = new Layer2Table()
      const worker = new Worker()
      for (const wanted of tables) {
        const { parts, freed } = table.replace(wanted)
        worker.hear(parts)
        table.release(freed)
      }
      assert.deepEqual(worker.text, new Worker().hear(new Layer2Table().replace(tables.at(-1)!).parts).text)
      const slots = [...worker.claims.values()].map(({ slot }) => slot)
      assert.equal(new Set(slots).size, slots.length)
    }),
  )
})

test('what the worker counts becomes metrics, each packet once, and wrapping numbers go on', () => {
  const metrics = new FakeMetrics()
  let now = 5_999
  const collector = new CountCollector(metrics, () => now)
  const texts = ['10.0.0.1', '10.0.0.2']
  collector.counts[RECEIVED] = 0xfffffffe
  collector.counts[COUNTERS + GRATUITOUS] = 10
  collector.collect(texts)
  now = 9_000
  collector.counts[RECEIVED]! += 5
  collector.collect(texts)
  collector.collect(texts)
  assert.deepEqual(Object.fromEntries(metrics.series), {
    'metallb_layer2_requests_received{ip="10.0.0.1"}': 0xfffffffe + 5,
    'metallb_layer2_gratuitous_sent{ip="10.0.0.2"}': 10,
    'metallb_layer2_last_gratuitous_timestamp_seconds{ip="10.0.0.2"}': 5,
  })
  collector.counts[COUNTERS + GRATUITOUS]!++
  collector.collect(texts)
  assert.equal(metrics.series.get('metallb_layer2_last_gratuitous_timestamp_seconds{ip="10.0.0.2"}'), 9)
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
