import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addProcessMetrics, PrometheusMetrics } from './index.ts'

const announced = { name: 'metallb_speaker_announced', help: 'Services announced.', labels: ['service', 'ip'] }

test('a gauge appears with its labels, and vanishes when removed', async () => {
  const metrics = new PrometheusMetrics()
  const labels = { service: 'shop/web', ip: '192.0.2.10' }
  metrics.gauge(announced).set(1, labels)
  const text = await metrics.text()
  assert.match(text, /^# HELP metallb_speaker_announced Services announced\.$/m)
  assert.match(text, /^# TYPE metallb_speaker_announced gauge$/m)
  assert.match(text, /^metallb_speaker_announced\{service="shop\/web",ip="192.0.2.10"\} 1$/m)
  metrics.gauge(announced).remove(labels)
  metrics.gauge(announced).remove(labels)
  assert.doesNotMatch(await metrics.text(), /shop/)
})

test('metrics without labels are there with 0 from the start, names keep their spelling', async () => {
  const metrics = new PrometheusMetrics()
  metrics.gauge({ name: 'metallb_k8s_client_config_loaded_bool', help: 'x' })
  metrics.counter({ name: 'metallb_layer2_requests_received', help: 'x' }).inc()
  metrics.counter({ name: 'metallb_layer2_requests_received', help: 'x' }).inc({}, 2)
  const text = await metrics.text()
  assert.match(text, /^metallb_k8s_client_config_loaded_bool 0$/m)
  assert.match(text, /^metallb_layer2_requests_received 3$/m)
})

test('a histogram counts into its buckets', async () => {
  const metrics = new PrometheusMetrics()
  const histogram = metrics.histogram({ name: 'wait_seconds', help: 'x', labels: ['name'], buckets: [0.1, 1] })
  histogram.observe(0.5, { name: 'a' })
  const text = await metrics.text()
  assert.match(text, /^wait_seconds_bucket\{le="0.1",name="a"\} 0$/m)
  assert.match(text, /^wait_seconds_bucket\{le="1",name="a"\} 1$/m)
})

test('one name is one metric, and never of two kinds', () => {
  const metrics = new PrometheusMetrics()
  assert.equal(metrics.gauge(announced), metrics.gauge(announced))
  assert.throws(() => metrics.counter(announced), /metallb_speaker_announced is a gauge, not a counter/)
})

test('the process family is sampled at each scrape', async () => {
  const metrics = new PrometheusMetrics()
  addProcessMetrics(metrics)
  const sampleOf = async (name: string) => Number(new RegExp(`^${name} (.*)$`, 'm').exec(await metrics.text())?.[1])
  assert.ok((await sampleOf('process_resident_memory_bytes')) > 1e6)
  assert.ok((await sampleOf('process_open_fds')) > 2)
  assert.ok((await sampleOf('process_max_fds')) > 2)
  assert.ok(Math.abs((await sampleOf('process_start_time_seconds')) - Date.now() / 1000) < 60)
  const before = await sampleOf('process_cpu_seconds_total')
  while (process.cpuUsage().user + process.cpuUsage().system < before * 1e6 + 20_000) Math.random()
  assert.ok((await sampleOf('process_cpu_seconds_total')) > before)
})
