import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from '../../core/ip/index.ts'
import type { LivenessTarget } from '../../ports/index.ts'
import { FAST } from '../../testing/bfd-world.ts'
import { FakeRandom } from '../../testing/fake-random.ts'
import { type Arrival, type ControlPacket, type Entry, encodeControl, Session, SessionTable } from './index.ts'

const address = (text: string) => parseAddress(text)!
const PACKET: ControlPacket = {
  diagnostic: 0,
  state: 'down',
  poll: false,
  final: false,
  controlPlaneIndependent: false,
  demand: false,
  detectMultiplier: 3,
  myDiscriminator: 99,
  yourDiscriminator: 0,
  desiredMinTx: 50_000,
  requiredMinRx: 50_000,
  requiredMinEchoRx: 0,
}

function entry(discriminator: number, peer: string, rest: Partial<LivenessTarget> = {}, minimumTtl = 254): Entry {
  const common = { returnsEcho: false, random: new FakeRandom(), send: () => {}, changed: () => {} }
  const session = new Session({ ...common, discriminator, settings: { ...FAST, minimumTtl } })
  return { target: { peer: address(peer), multihop: false, ...rest }, session }
}

function arrival(packet: Partial<ControlPacket>, from: string, rest: Partial<Arrival> = {}): Arrival {
  const bytes = encodeControl({ ...PACKET, ...packet })
  const source = () => address(from)
  return { bytes, source, destination: () => address('192.0.2.1'), multihop: false, ttl: 255, ...rest }
}

function tableOf(...entries: Entry[]): SessionTable<Entry> {
  const table = new SessionTable<Entry>()
  for (const each of entries) table.add(each)
  return table
}

test('the first packet finds its session by the source, the one bound most closely', () => {
  const any = entry(1, '192.0.2.2')
  const other = entry(2, '192.0.2.3')
  const local = entry(3, '192.0.2.2', { local: address('192.0.2.1') })
  const device = entry(4, '192.0.2.2', { interface: 'eth1' })
  const table = tableOf(any, other, local, device)
  assert.equal(table.receive(arrival({}, '192.0.2.3'), 0), other)
  assert.equal(table.receive(arrival({}, '192.0.2.2'), 0), local)
  assert.equal(table.receive(arrival({}, '192.0.2.2', { interface: 'eth1' }), 0), device)
  const elsewhere = { destination: () => address('192.0.2.9') }
  assert.equal(table.receive(arrival({}, '192.0.2.2', elsewhere), 0), any)
})

test('later packets are found by the discriminator alone', () => {
  const table = tableOf(entry(1, '192.0.2.2'), entry(2, '192.0.2.3'))
  const found = table.receive(arrival({ yourDiscriminator: 2, state: 'init' }, '198.51.100.1'), 0)
  assert.equal(found.session.discriminator, 2)
})

for (const [name, code, received] of [
  ['nobody knows the source', 'NO_SESSION', arrival({}, '192.0.2.9')],
  ['nobody has the discriminator', 'NO_SESSION', arrival({ yourDiscriminator: 7, state: 'up' }, '192.0.2.2')],
  ['the multihop port', 'NO_SESSION', arrival({ yourDiscriminator: 1, state: 'up' }, '192.0.2.2', { multihop: true })],
  ['the multihop port, first packet', 'NO_SESSION', arrival({}, '192.0.2.2', { multihop: true })],
  ['one hop away (acceptance 94)', 'TTL', arrival({}, '192.0.2.2', { ttl: 254 })],
] as const)
  test(`${name}: ${code}`, () => {
    const only = entry(1, '192.0.2.2')
    assert.throws(() => tableOf(only).receive(received, 0), { name: 'BfdError', code })
    assert.equal(only.session.state, 'down')
  })

test('a multihop session with minimum TTL 250 accepts 250 and not 249 (acceptance 94)', () => {
  const far = entry(1, '192.0.2.2', { multihop: true }, 250)
  const table = tableOf(far)
  assert.throws(() => table.receive(arrival({}, '192.0.2.2', { multihop: true, ttl: 249 }), 0), { code: 'TTL' })
  assert.equal(table.receive(arrival({}, '192.0.2.2', { multihop: true, ttl: 250 }), 0), far)
})

test('a session on its way out leaves the first packet to its successor', () => {
  const old = entry(1, '192.0.2.2', { interface: 'eth0' })
  const next = entry(2, '192.0.2.2')
  old.session.disable(0)
  assert.equal(tableOf(old, next).receive(arrival({}, '192.0.2.2', { interface: 'eth0' }), 0), next)
})
