import assert from 'node:assert/strict'
import { type ServiceResource, services } from '../api/index.ts'
import { ServiceController } from '../control/services/index.ts'
import type { Pool } from '../core/config/index.ts'
import { parseAddressEntry } from '../core/ip/index.ts'
import { type ObjectRef, objectKey } from '../core/object.ts'
import { POOL_ANNOTATION } from '../core/service.ts'
import type { EventTarget } from '../ports/index.ts'
import { FakeClock } from './fake-clock.ts'
import { FakeKube } from './fake-kube.ts'
import { FakeLog } from './fake-log.ts'
import { FakeMetrics } from './fake-metrics.ts'

/** A pool from its entries. */
export function poolOf(name: string, entries: readonly string[], rest: Partial<Pool> = {}): Pool {
  const ranges = entries.map(entry => {
    const parsed = parseAddressEntry(entry)
    if ('error' in parsed) throw new Error(parsed.error)
    return parsed.range
  })
  return { name, namespace: 'metallb-system', ranges, entries, autoAssign: true, avoidBuggyIPs: false, ...rest }
}

/** A `serviceAllocation`: `pin({ ns: ['d'], app: ['x'], prio: 5 })`. */
export function pin({ ns, app = [], prio = 0 }: { ns?: string[]; app?: string[]; prio?: number }): Partial<Pool> {
  const serviceSelectors = app.map(value => ({ matchLabels: { app: value } }))
  return { allocation: { priority: prio, namespaces: ns && new Set(ns), serviceSelectors } }
}

/** What a test says about a Service; the rest is an ordinary LoadBalancer with TCP port 80. */
export interface ServiceSketch {
  type?: string
  app?: string
  cls?: string
  cluster?: string[]
  policy?: string
  families?: string[]
  ports?: string[]
  local?: string | false
  lbIP?: string
  ips?: string
  pool?: string
  key?: string
  annotations?: Record<string, string>
  created?: string
  status?: NonNullable<NonNullable<ServiceResource['status']>['loadBalancer']>['ingress']
}

const V4 = ['10.96.0.1']
export const V6 = ['fd01::1']
export const DUAL = ['10.96.0.1', 'fd01::1']

/** A controller on a cluster in memory. Services are called `A` (namespace d) or `other/A`. */
export class ServiceWorld {
  readonly kube: FakeKube
  readonly clock = new FakeClock()
  readonly log = new FakeLog()
  readonly metrics = new FakeMetrics()
  readonly controller: ServiceController
  readonly #sketches = new Map<string, ServiceSketch>()
  readonly #events = new Map<string, string[]>()
  #age = 0

  constructor({
    lbClass = '',
    kube = new FakeKube(),
    active = true,
    conditions = true,
    keepUntilReplaced = false,
    noPoolsGraceMs = 0,
  } = {}) {
    this.kube = kube
    const recorder = {
      event: (on: EventTarget, type: string, reason: string, message: string) => {
        const key = objectKey(on)
        this.#events.set(key, [...(this.#events.get(key) ?? []), `${type} ${reason} ${message}`])
      },
    }
    const { clock, log, metrics } = this
    const informer = kube.informer(services)
    this.controller = new ServiceController({
      services: informer,
      api: kube,
      recorder,
      log,
      metrics,
      clock,
      lbClass,
      active,
      conditions,
      keepUntilReplaced,
      noPoolsGraceMs,
    })
    this.controller.start()
  }

  static async of(pools: readonly Pool[], options: ConstructorParameters<typeof ServiceWorld>[0] = {}) {
    const world = new ServiceWorld(options)
    await world.pools(...pools)
    return world
  }

  async pools(...pools: readonly Pool[]): Promise<void> {
    this.controller.setPools(pools)
    await this.settle()
  }

  /** Creates the Service, or changes what the sketch says and leaves the rest; then everything settles. */
  async put(name: string, sketch: ServiceSketch = {}): Promise<void> {
    this.write(name, sketch)
    await this.settle()
  }

  write(name: string, sketch: ServiceSketch = {}): void {
    const ref = refOf(name)
    const merged = { created: this.#created(), ...this.#sketches.get(name), ...sketch }
    this.#sketches.set(name, { ...merged, status: undefined, annotations: undefined })
    const before = this.kube.peek(services, ref)
    const pool = before?.metadata.annotations?.[POOL_ANNOTATION]
    const status =
      sketch.status === undefined ? before?.status : { loadBalancer: sketch.status && { ingress: sketch.status } }
    this.kube.put(services, { ...draw(ref, merged, pool), status })
  }

  #created(): string {
    return new Date(Date.UTC(2026, 0, 1) + 1000 * this.#age++).toISOString().replace('.000', '')
  }

  async remove(name: string): Promise<void> {
    this.kube.remove(services, refOf(name))
    this.#sketches.delete(name)
    await this.settle()
  }

  async settle(): Promise<void> {
    await this.controller.whenIdle()
  }

  resource(name: string): ServiceResource {
    return this.kube.peek(services, refOf(name))!
  }

  /** `10.0.0.1`, `10.0.0.1 fd00::1` or empty. */
  ips(name: string): string {
    return (this.resource(name).status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname).join(' ')
  }

  poolOf(name: string): string | undefined {
    return this.resource(name).metadata.annotations?.[POOL_ANNOTATION]
  }

  /** Checks what the Services show; an address and its pool annotation belong together. */
  shows(expected: Record<string, string>): void {
    const seen = Object.fromEntries(Object.keys(expected).map(name => [name, this.ips(name)]))
    assert.deepEqual(seen, expected)
    for (const name of Object.keys(expected)) assert.equal(this.poolOf(name) !== undefined, expected[name] !== '', name)
  }

  /** Checks the events since the last look: each begins with the text expected of it. */
  said(name: string, ...expected: string[]): void {
    const key = objectKey(refOf(name))
    const events = this.#events.get(key) ?? []
    this.#events.delete(key)
    assert.deepEqual(
      events.map((event, index) => event.slice(0, expected[index]?.length)),
      expected,
    )
  }

  /** Writes of Service status so far. */
  get writes(): number {
    return this.kube.calls.filter(call => call.startsWith('replace/status services')).length
  }
}

function refOf(name: string): Required<ObjectRef> {
  const [namespace, own] = name.includes('/') ? (name.split('/') as [string, string]) : ['d', name]
  return { namespace, name: own }
}

function draw(ref: Required<ObjectRef>, sketch: ServiceSketch, allocatedFrom: string | undefined): ServiceResource {
  const { cluster = V4, ports = ['TCP/80'], local = false } = sketch
  const annotations = {
    ...(allocatedFrom === undefined ? {} : { [POOL_ANNOTATION]: allocatedFrom }),
    ...(sketch.ips === undefined ? {} : { 'metallb.io/loadBalancerIPs': sketch.ips }),
    ...(sketch.pool === undefined ? {} : { 'metallb.io/address-pool': sketch.pool }),
    ...(sketch.key === undefined ? {} : { 'metallb.io/allow-shared-ip': sketch.key }),
    ...sketch.annotations,
  }
  const labels: Record<string, string> = sketch.app === undefined ? {} : { app: sketch.app }
  const selector: Record<string, string> = local ? { app: local } : {}
  return {
    metadata: { ...ref, annotations, labels, creationTimestamp: sketch.created },
    spec: {
      type: sketch.type ?? 'LoadBalancer',
      loadBalancerClass: sketch.cls,
      loadBalancerIP: sketch.lbIP,
      clusterIP: cluster[0],
      clusterIPs: cluster,
      ipFamilyPolicy: sketch.policy,
      ipFamilies: sketch.families,
      ports: ports.map(port => ({ protocol: port.split('/')[0]!, port: Number(port.split('/')[1]) })),
      selector,
      externalTrafficPolicy: local === false ? 'Cluster' : 'Local',
    },
  }
}
