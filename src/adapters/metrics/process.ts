/** The process_* family that dashboards read, and the runtime's own (chapter 05 section 2.4). */
import { readdirSync, readFileSync } from 'node:fs'
import type { PrometheusMetrics } from './registry.ts'

export function addProcessMetrics(metrics: PrometheusMetrics): void {
  const startSeconds = Math.floor(Date.now() / 1000 - process.uptime())
  const gauge = (name: string, help: string, sample: () => number) => metrics.sampled('gauge', { name, help }, sample)
  metrics.sampled(
    'counter',
    { name: 'process_cpu_seconds_total', help: 'Total user and system CPU time spent in seconds.' },
    cpuSeconds,
  )
  gauge('process_start_time_seconds', 'Start time of the process since unix epoch in seconds.', () => startSeconds)
  gauge('process_resident_memory_bytes', 'Resident memory size in bytes.', () => process.memoryUsage.rss())
  gauge('process_open_fds', 'Number of open file descriptors.', () => entries('/proc/self/fd'))
  gauge('process_max_fds', 'Maximum number of open file descriptors.', maxDescriptors)
  gauge('nodejs_heap_size_used_bytes', 'Bytes of the heap in use.', () => process.memoryUsage().heapUsed)
  gauge('nodejs_heap_size_total_bytes', 'Bytes of the heap.', () => process.memoryUsage().heapTotal)
  const version = { name: 'nodejs_version_info', help: 'Node.js version.', labels: ['version'] }
  metrics.gauge(version).set(1, { version: process.version })
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

function entries(directory: string): number {
  try {
    return readdirSync(directory).length
  } catch {
    return 0 // no /proc here
  }
}

function maxDescriptors(): number {
  try {
    return Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}
