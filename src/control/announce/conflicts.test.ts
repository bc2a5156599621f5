import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { services } from '../../api/kubernetes/index.ts'
import { type Mac, parseAddress } from '../../core/ip/index.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { FakeKube, FakeRecorder } from '../../testing/fake-kube.ts'
import { FakeLog } from '../../testing/fake-log.ts'
import { FakeMetrics } from '../../testing/fake-metrics.ts'
import { FakeClaims, FakeInterfaces, FakeResponder } from '../../testing/fake-speaker.ts'
import { ConflictWatch, HANDOVER_MS, Layer2Protocol, REPEAT_MS } from './index.ts'

const VIP = '192.168.1.240'
const MAC = '02:00:00:00:00:09' as Mac
const EVENT = `Warning addressConflict another host, ${MAC}, claims ${VIP} on interface "eth0" of node "node-a", which announces it`

let clock: FakeClock
let claims: FakeClaims
let layer2: Layer2Protocol
let recorder: FakeRecorder
let metrics: FakeMetrics
let log: FakeLog
let watch: ConflictWatch

beforeEach(() => {
  const kube = new FakeKube()
  for (const name of ['web', 'dns']) kube.put(services, { metadata: { name, namespace: 'default' } })
  clock = new FakeClock()
  claims = new FakeClaims()
  recorder = new FakeRecorder()
  metrics = new FakeMetrics()
  log = new FakeLog()
  layer2 = new Layer2Protocol({
    node: 'node-a',
    responder: new FakeResponder(),
    interfaces: new FakeInterfaces('eth0'),
  })
  watch = new ConflictWatch({
    ...{ node: 'node-a', layer2, claims, services: kube.informer(services), recorder, metrics, clock, log },
  })
  watch.start()
})

function announce(service: string, ...ips: string[]): void {
  const addresses = ips.map(ip => ({ address: parseAddress(ip)!, interfaces: 'all' as const }))
  layer2.setBalancer(service, { pool: 'p', addresses })
}
const hear = (ip = VIP, count = 1, mac = MAC) => claims.hear({ ip, mac, interface: 'eth0', count })
const detected = () => metrics.series.get(`metallb_layer2_conflicts_detected{ip="${VIP}"}`)

test('a claim while this node keeps the address is an event, a line, a number and an announcement', () => {
  announce('default/web', VIP)
  clock.advance(HANDOVER_MS)
  hear()
  assert.deepEqual(recorder.events, [])
  clock.advance(HANDOVER_MS)
  assert.deepEqual(recorder.events, [EVENT])
  assert.deepEqual(claims.reannounced, [VIP])
  assert.equal(detected(), 1)
  const { level, fields } = log.lines[0]!
  assert.equal(level, 'warn')
  const { event, ip, senderMAC, interface: name, count, services: keys } = fields
  const expected = ['addressConflict', VIP, MAC, 'eth0', 1, ['default/web']]
  assert.deepEqual([event, ip, senderMAC, name, count, keys], expected)
})

test('a conflict that goes on is told of once a minute with all its claims, and another MAC by itself', () => {
  announce('default/web', VIP)
  clock.advance(HANDOVER_MS)
  hear()
  hear(VIP, 4)
  clock.advance(HANDOVER_MS)
  assert.equal(detected(), 5)
  hear(VIP, 3)
  clock.advance(REPEAT_MS - 1)
  assert.equal(recorder.events.length, 1)
  clock.advance(1)
  assert.deepEqual([recorder.events.length, detected()], [2, 8])
  clock.advance(REPEAT_MS)
  assert.deepEqual([recorder.events.length, clock.armed], [2, 0], 'silence ends it')
  hear()
  hear(VIP, 1, '02:00:00:00:00:0a' as Mac)
  clock.advance(HANDOVER_MS)
  assert.equal(recorder.events.length, 4)
})

test('the former owner that still speaks is a hand-over', () => {
  announce('default/web', VIP)
  clock.advance(HANDOVER_MS - 1)
  hear()
  clock.advance(2 * REPEAT_MS)
  assert.deepEqual([recorder.events, detected(), claims.reannounced], [[], undefined, []])
})

test('the next owner that speaks already is a hand-over, also where the address comes back soon', () => {
  announce('default/web', VIP)
  clock.advance(HANDOVER_MS)
  hear()
  clock.advance(HANDOVER_MS - 1)
  layer2.deleteBalancer('default/web')
  hear()
  announce('default/web', VIP)
  clock.advance(REPEAT_MS)
  assert.deepEqual([recorder.events, detected(), clock.armed], [[], undefined, 0])
})

test('an address that several Services share is told of on each; it stays owned while one of them is announced', () => {
  announce('default/dns', VIP)
  clock.advance(HANDOVER_MS)
  announce('default/web', VIP, '2001:db8::1')
  hear()
  layer2.deleteBalancer('default/web')
  announce('default/web', VIP)
  clock.advance(HANDOVER_MS)
  assert.deepEqual(recorder.events, [EVENT, EVENT])
})

test('claims of a flood of MACs arm no more than a thousand timers, and stop() leaves none', () => {
  announce('default/web', VIP)
  clock.advance(HANDOVER_MS)
  for (let i = 0; i < 5000; i++) hear(VIP, 1, `02:00:00:00:${(i >> 8).toString(16)}:${(i & 255).toString(16)}` as Mac)
  assert.equal(clock.armed, 1000)
  watch.stop()
  assert.equal(clock.armed, 0)
  hear()
  assert.equal(clock.armed, 0)
})

test('claims are counted by MAC; made-up MACs do not make ever more series, and all go with the address', () => {
  const series = () => [...metrics.series].filter(([key]) => key.startsWith('metallb_layer2_conflicts_total'))
  announce('default/web', VIP)
  clock.advance(HANDOVER_MS)
  for (let index = 0; index < 20; index++) hear(VIP, 2, `02:00:00:00:01:${String(index).padStart(2, '0')}` as Mac)
  clock.advance(HANDOVER_MS)
  assert.equal(series().length, 17)
  assert.deepEqual(series()[0], [`metallb_layer2_conflicts_total{ip="${VIP}",mac="02:00:00:00:01:00"}`, 2])
  assert.deepEqual(series().at(-1), [`metallb_layer2_conflicts_total{ip="${VIP}",mac="other"}`, 8])
  layer2.deleteBalancer('default/web')
  assert.deepEqual(series(), [])
})
