/** Random histories over pools with reservations, quarantine and quotas: what must hold, told from the outside. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { poolOf } from '../../testing/service-world.ts'
import type { Pool, Reservation } from '../config/index.ts'
import { formatAddress, parseAddress } from '../ip/index.ts'
import type { Service } from '../service.ts'
import { Allocator, converge, learn, Refusal } from './index.ts'

function reserve(text: string, owner?: string): Reservation {
  const { family, value } = parseAddress(text)!
  return { range: { family, first: value, last: value }, note: '', ...(owner !== undefined && { owner }) }
}

const RESERVED: Readonly<Record<string, string>> = { '10.0.0.0': 'n1/a', '10.0.0.2': 'nobody', 'fd00::': 'n2/d' }
const reservations = Object.entries(RESERVED).map(([text, owner]) =>
  reserve(text, owner === 'nobody' ? undefined : owner),
)
const entries = ['10.0.0.0-10.0.0.4', 'fd00::/126']
const SETS: readonly (readonly Pool[])[] = [
  [poolOf('p', entries, { quarantineMs: 3, reservations, quotas: new Map(Object.entries({ n1: 2, '*': 3 })) })],
  [poolOf('p', entries, { quarantineMs: 3, reservations })],
  [poolOf('p', entries)],
]
const KEYS = ['n1/a', 'n1/b', 'n1/c', 'n2/d', 'n2/e']

class History {
  now = 0
  pools = SETS[0]!
  allocator = new Allocator(() => this.now)
  readonly services = new Map<string, Service>()
  /** Address to who released it last, and when. */
  readonly released = new Map<string, { key: string; at: number }>()
  #before = new Map<string, readonly string[]>()

  held(key: string): string[] {
    return this.allocator.allocationOf(key)?.addresses.map(formatAddress) ?? []
  }

  run(key: string): void {
    const service = this.services.get(key)!
    const outcome = converge(this.allocator, service)
    this.allocator.wait(service, outcome.needs)
    const ingress = outcome.addresses.map(address => ({ text: formatAddress(address), address }))
    this.services.set(key, { ...service, ingress })
    this.check()
    this.wake()
  }

  wake(): void {
    for (let next = this.allocator.waiting.next(); next !== undefined; next = this.allocator.waiting.next())
      this.run(next)
  }

  put(sketch: { key: string; dual: boolean; request: string; count: string }, age: number): void {
    const before = this.services.get(sketch.key)
    const created = before?.created ?? String(age).padStart(4, '0')
    this.services.set(sketch.key, serviceOf(sketch, created, before?.ingress ?? []))
    this.run(sketch.key)
  }

  remove(key: string): void {
    if (!this.services.delete(key)) return
    this.allocator.release(key)
    this.allocator.waiting.forget(key)
    this.check()
    this.wake()
  }

  setPools(pools: readonly Pool[]): void {
    this.pools = pools
    this.allocator.setPools(pools)
    if (pools[0]!.quarantineMs === undefined) this.released.clear()
    this.check()
    for (const key of this.services.keys()) this.run(key)
  }

  wait(ms: number): void {
    this.now += ms
    this.allocator.expire()
    this.wake()
  }

  restart(): void {
    this.allocator = new Allocator(() => this.now)
    this.allocator.setPools(this.pools)
    this.released.clear()
    learn(this.allocator, [...this.services.values()])
    for (const key of this.services.keys()) this.run(key)
  }

  check(): void {
    const [pool] = this.pools as [Pool]
    const after = new Map(KEYS.map(key => [key, this.held(key)]))
    const all = [...after.values()].flat()
    assert.equal(new Set(all).size, all.length, 'held twice')
    for (const [key, addresses] of after) this.#checkNew(pool, key, addresses)
    this.#checkQuotas(pool, after)
    for (const [key, addresses] of pool.quarantineMs === undefined ? [] : this.#before)
      for (const address of addresses) if (!all.includes(address)) this.released.set(address, { key, at: this.now })
    for (const address of all) this.released.delete(address)
    const usage = this.allocator.usage('p')!
    assert.equal(usage.assigned.ipv4 + usage.assigned.ipv6, BigInt(all.length))
    assert.equal(usage.services, [...after.values()].filter(({ length }) => length > 0).length)
    this.#before = after
  }

  #checkNew(pool: Pool, key: string, addresses: readonly string[]): void {
    for (const address of addresses) {
      if (this.#before.get(key)?.includes(address)) continue
      const owner = pool.reservations === undefined ? undefined : RESERVED[address]
      assert.ok(owner === undefined || owner === key, `${key} was given ${address} of ${owner}`)
      const rest = this.released.get(address)
      const resting = rest !== undefined && rest.key !== key && this.now < rest.at + (pool.quarantineMs ?? 0)
      assert.ok(!resting, `${key} was given ${address}, released by ${rest?.key}`)
    }
  }

  /** Numbers above a quota may stay, they do not grow. */
  #checkQuotas({ quotas }: Pool, after: ReadonlyMap<string, readonly string[]>): void {
    for (const namespace of ['n1', 'n2']) {
      const count = (held: ReadonlyMap<string, readonly string[]>) =>
        [...held].filter(([key, { length }]) => key.startsWith(`${namespace}/`) && length > 0).length
      const quota = quotas?.get(namespace) ?? quotas?.get('*') ?? Number.POSITIVE_INFINITY
      assert.ok(count(after) <= Math.max(quota, count(this.#before)), `${namespace} is over its quota`)
    }
  }

  /** Nobody waits in vain, another look moves nobody. */
  checkQuiet(): void {
    for (const [key, service] of this.services) {
      const before = this.held(key)
      if (before.length === 0 && service.loadBalancerIP === '') {
        const families = service.clusterIPs.length === 2 ? ('dual' as const) : ('ipv4' as const)
        const choice = this.allocator.choose(service, { families, oneIsEnough: true, primary: 'ipv4' })
        assert.ok(choice instanceof Refusal, `${key} could have had an address`)
      }
      this.run(key)
      assert.deepEqual(this.held(key), before)
    }
  }
}

function serviceOf(
  { key, dual, request, count }: { key: string; dual: boolean; request: string; count: string },
  created: string,
  ingress: Service['ingress'],
): Service {
  const [namespace, name] = key.split('/') as [string, string]
  return {
    ...{ key, namespace, name, uid: key, resourceVersion: '1', created, labels: {}, ingress },
    annotations: { 'metallb.io/addresses-per-family': count },
    type: 'LoadBalancer',
    clusterIPs: dual ? ['10.96.0.1', 'fd01::1'] : ['10.96.0.1'],
    ipFamilyPolicy: dual ? 'PreferDualStack' : 'SingleStack',
    ports: [{ protocol: 'TCP', port: 80 }],
    localTrafficPolicy: false,
    selector: {},
    loadBalancerIP: request,
  }
}

const key = fc.constantFrom(...KEYS)
const request = fc.constantFrom('10.0.0.0', '10.0.0.1', '10.0.0.2', ...Array<string>(8).fill(''))
const count = fc.constantFrom('1', '1', '1', '2', '3')
const steps = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      sketch: fc.record({ key, dual: fc.boolean(), request, count }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('remove' as const), key }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pools' as const), set: fc.nat(SETS.length - 1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('quiet' as const) }) },
)

test('reservations, quarantine and quotas hold over random histories, and nobody loses or waits by them in vain', () => {
  const property = fc.property(fc.array(steps, { maxLength: 60, size: 'max' }), history => {
    const world = new History()
    world.setPools(SETS[0]!)
    for (const [age, step] of history.entries()) {
      if (step.do === 'put') world.put(step.sketch, age)
      else if (step.do === 'remove') world.remove(step.key)
      else if (step.do === 'wait') world.wait(step.ms)
      else if (step.do === 'pools') world.setPools(SETS[step.set]!)
      else if (step.do === 'restart') world.restart()
      else world.checkQuiet()
    }
  })
  fc.assert(property, { numRuns: Number(process.env.FUZZ_RUNS ?? 300) })
})
