// How long the allocator takes: handing out a /16 one by one, refusing on a full pool, learning again after a start,
// serving who waits. Targets: issue 2 and chapter 02 section 4. Run: node bench/allocator.ts
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { Allocator, converge, learn } from '../src/core/allocator/index.ts'
import { type Address, formatAddress } from '../src/core/ip/index.ts'
import type { Service } from '../src/core/service.ts'
import { poolOf } from '../src/testing/service-world.ts'

interface Row {
  readonly what: string
  readonly count: number
  readonly totalMs: number
  /** User time of the process: what remains comparable on a busy machine. */
  readonly cpuMs?: number
  readonly eachUs: number
  readonly target: string
  readonly met: boolean
}

const rows: Row[] = []

/** Times the work; a target is a total in milliseconds. */
function measure(what: string, count: number, targetMs: number | undefined, work: () => void): void {
  const start = performance.now()
  const cpu = process.cpuUsage()
  work()
  const totalMs = performance.now() - start
  record(what, count, targetMs, totalMs, process.cpuUsage(cpu).user / 1000)
}

function record(what: string, count: number, targetMs: number | undefined, totalMs: number, cpuMs?: number): void {
  const target = targetMs === undefined ? '-' : `< ${targetMs} ms`
  const met = targetMs === undefined || totalMs < targetMs
  rows.push({
    what,
    count,
    totalMs: round(totalMs),
    cpuMs: cpuMs && round(cpuMs),
    eachUs: round((totalMs * 1000) / count),
    target,
    met,
  })
}

function round(value: number): number {
  return Number(value.toPrecision(3))
}

function serviceOf(index: number, rest: Partial<Service> = {}): Service {
  const name = `service-${index}`
  return {
    key: `default/${name}`,
    namespace: 'default',
    name,
    uid: name,
    resourceVersion: '1',
    created: new Date(Date.UTC(2026, 0, 1) + index * 1000).toISOString(),
    labels: {},
    annotations: {},
    type: 'LoadBalancer',
    clusterIPs: ['10.96.0.1'],
    ipFamilyPolicy: 'SingleStack',
    ports: [{ protocol: 'TCP', port: 80 }],
    localTrafficPolicy: false,
    selector: {},
    loadBalancerIP: '',
    ingress: [],
    ...rest,
  }
}

function allocatorOf(...pools: Parameters<Allocator['setPools']>[0]): Allocator {
  const allocator = new Allocator()
  allocator.setPools(pools)
  return allocator
}

const wide = poolOf('wide', ['10.0.0.0/16'])

function allocateAll(allocator: Allocator, services: readonly Service[]): void {
  for (const service of services)
    if (converge(allocator, service).addresses.length === 0) throw new Error(`${service.key} got nothing`)
}

function shown(service: Service, addresses: readonly Address[]): Service {
  return { ...service, ingress: addresses.map(address => ({ text: formatAddress(address), address })) }
}

const services = Array.from({ length: 60_000 }, (_, index) => serviceOf(index))
allocateAll(allocatorOf(wide), services.slice(0, 2000)) // the first run compiles

for (const [count, target] of [
  [1000, undefined],
  [10_000, undefined],
  [60_000, 1000],
] as const) {
  const allocator = allocatorOf(wide)
  measure('hand out one by one, /16', count, target, () => allocateAll(allocator, services.slice(0, count)))
}

const many = Array.from({ length: 5000 }, (_, index) => poolOf(`p${index}`, [`10.${index >> 8}.${index & 255}.0/30`]))
const scattered = allocatorOf(...many)
measure('hand out one by one, 5,000 pools of 4', 2000, undefined, () => allocateAll(scattered, services.slice(0, 2000)))

const full = allocatorOf(poolOf('full', ['10.0.0.0/18']))
allocateAll(full, services.slice(0, 16_384))
measure('refuse on a full pool of 16,384', 10_000, undefined, () => {
  for (const service of services.slice(20_000, 30_000)) converge(full, service)
})

const known = allocatorOf(wide)
const addressed = services.map(service => shown(service, converge(known, service).addresses))
const again = allocatorOf(wide)
measure('learn again after a start', 60_000, 1200, () => learn(again, addressed))
measure('look again at Services that are right', 60_000, undefined, () => {
  for (const service of addressed) converge(again, service)
})
measure('rename the pool', 60_000, undefined, () => again.setPools([poolOf('other', ['10.0.0.0/16'])]))

const waiting = allocatorOf(poolOf('full', ['10.0.0.0/18']))
allocateAll(waiting, services.slice(0, 16_384))
const waiters = new Map(services.slice(20_000, 30_000).map(service => [service.key, service]))
for (const service of waiters.values()) waiting.wait(service, converge(waiting, service).needs)
const durations = Array.from({ length: 1000 }, (_, index) => {
  const start = performance.now()
  serve(waiting, index)
  return performance.now() - start
}).sort((a, b) => a - b)
for (const [name, at, target] of [
  ['p50', 500, undefined],
  ['p99', 990, 5],
  ['worst', 999, undefined],
] as const)
  record(`delete one with 10,000 waiting, until the right one is served, ${name}`, 1, target, durations[at]!)

/** Deletes a Service; the oldest that waits must be served. */
function serve(allocator: Allocator, index: number): void {
  allocator.release(services[index]!.key)
  for (let key = allocator.waiting.next(); key !== undefined; key = allocator.waiting.next()) {
    const outcome = converge(allocator, waiters.get(key)!)
    allocator.wait(waiters.get(key)!, outcome.needs)
    if (key !== services[20_000 + index]!.key) throw new Error(`${key} was served out of turn`)
  }
}

const sharers = Array.from({ length: 10_000 }, (_, index) =>
  serviceOf(index, {
    annotations: { 'metallb.io/allow-shared-ip': 'key' },
    ports: [{ protocol: 'TCP', port: 1 + (index % 1000) }],
  }),
)
const shared = allocatorOf(wide)
measure('hand out with one sharing key, 1,000 ports', 10_000, undefined, () => allocateAll(shared, sharers))

console.table(rows)
const dir = new URL('./results/', import.meta.url)
mkdirSync(dir, { recursive: true })
const report = { node: process.version, cores: availableParallelism(), rows }
writeFileSync(new URL('allocator.json', dir), `${JSON.stringify(report, null, 2)}\n`)
if (rows.some(({ met }) => !met)) process.exitCode = 1
