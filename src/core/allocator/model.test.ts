/** Random histories against a naive allocator that scans every pool for every decision. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { pin, poolOf } from '../../testing/service-world.ts'
import type { Pool } from '../config/index.ts'
import { type Address, type Family, formatAddress, parseAddress } from '../ip/index.ts'
import { anySelectorMatches } from '../labels.ts'
import type { Service } from '../service.ts'
import { Allocator, byAge, converge, learn } from './index.ts'

const CATALOGUE: readonly Pool[] = [
  poolOf('a', ['10.0.0.4-10.0.0.5', '10.0.0.0-10.0.0.1', 'fd00::/127']),
  poolOf('b', ['10.0.1.254-10.0.2.1'], { avoidBuggyIPs: true }),
  poolOf('c', ['10.0.3.0/31', 'fd00::10-fd00::11'], pin({ ns: ['n1'], prio: 2 })),
  poolOf('d', ['10.0.4.0/31'], pin({ app: ['x'], prio: 1 })),
  poolOf('e', ['fd00::20/127'], { autoAssign: false }),
  // The same addresses under other names or terms.
  poolOf('a2', ['10.0.0.0-10.0.0.7']),
  poolOf('a', ['10.0.0.4-10.0.0.5'], pin({ ns: ['n2'] })),
  poolOf('b', ['10.0.1.254-10.0.2.1', 'fd00::30/127']),
  // So little that Services have to share or wait.
  poolOf('tiny', ['10.0.0.0/32', 'fd00::/128']),
  poolOf('six', ['fd00::/128']),
  poolOf('the four', ['10.0.4.1/32']),
]
const POOL_SETS = [[0, 1, 2, 3, 4], [5, 1, 2, 4], [6, 7, 2, 3], [0, 7], [], [8], [8, 3], [9, 10]].map(indices =>
  indices.map(index => CATALOGUE[index]!),
)

/** Answers by looking at everything. */
class Naive {
  pools: readonly Pool[] = []
  readonly held = new Map<string, { service: Service; addresses: string[] }>()

  addressesOf(pool: Pool, family: Family): string[] {
    const found: string[] = []
    for (const range of pool.ranges)
      for (let value = range.first; value <= range.last; value++) {
        const octet = value & 255n
        const buggy = pool.avoidBuggyIPs && range.family === 'ipv4' && (octet === 0n || octet === 255n)
        if (range.family === family && !buggy) found.push(formatAddress({ family, value }))
      }
    return found
  }

  poolOf(addresses: readonly string[]): Pool | undefined {
    const all = (pool: Pool) => [...this.addressesOf(pool, 'ipv4'), ...this.addressesOf(pool, 'ipv6')]
    return this.pools.find(pool => addresses.every(address => all(pool).includes(address)))
  }

  admits({ allocation }: Pool, { namespace, labels }: Service): boolean {
    if (allocation === undefined) return true
    const { namespaces, serviceSelectors } = allocation
    if (namespaces !== undefined && !namespaces.has(namespace)) return false
    return serviceSelectors.length === 0 || anySelectorMatches(serviceSelectors, labels)
  }

  usable(address: string, service: Service): boolean {
    const others = [...this.held.values()].filter(
      ({ service: { key }, addresses }) => key !== service.key && addresses.includes(address),
    )
    return others.every(({ service: other }) => {
      const key = service.annotations['metallb.io/allow-shared-ip'] ?? ''
      const backend = ({ localTrafficPolicy, selector, namespace }: Service) =>
        localTrafficPolicy && selector.app ? `${namespace} ${selector.app}` : ''
      const free = service.ports.every(({ port }) => other.ports.every(taken => taken.port !== port))
      const same = key !== '' && other.annotations['metallb.io/allow-shared-ip'] === key
      return same && free && backend(service) === backend(other)
    })
  }

  valid(addresses: readonly string[], service: Service): boolean {
    const pool = this.poolOf(addresses)
    if (pool === undefined || !this.admits(pool, service)) return false
    return addresses.every(address => this.usable(address, service))
  }

  /** Those of a family that the Service has. */
  wanted({ clusterIPs }: Service, addresses: readonly string[]): string[] {
    return addresses.filter(address => clusterIPs.some(clusterIP => familyOf(clusterIP) === familyOf(address)))
  }

  first(pool: Pool, family: Family, service: Service): string | undefined {
    return this.addressesOf(pool, family).find(address => this.usable(address, service))
  }

  choose(service: Service): string[] {
    const dual = service.clusterIPs.length === 2
    const prefer = service.ipFamilyPolicy === 'PreferDualStack'
    const wanted = service.annotations['metallb.io/address-pool']
    const requested = service.loadBalancerIP
    if (requested !== '') {
      const pool = this.poolOf([requested])?.name
      const granted = this.valid([requested], service) && (wanted ?? pool) === pool
      return granted && (!dual || prefer) ? [requested] : []
    }
    const family = familyOf(service.clusterIPs[0]!)
    const offer = (pool: Pool) => [this.first(pool, 'ipv4', service), this.first(pool, 'ipv6', service)] as const
    const take = ([v4, v6]: ReturnType<typeof offer>) => {
      if (dual) return v4 !== undefined && v6 !== undefined ? [v4, v6] : undefined
      const address = family === 'ipv4' ? v4 : v6
      return address ? [address] : undefined
    }
    const one = ([v4, v6]: ReturnType<typeof offer>) => (dual && prefer ? (v4 ?? v6) : undefined)
    if (wanted !== undefined) {
      const pool = this.pools.find(({ name, ...rest }) => name === wanted && this.admits({ name, ...rest }, service))
      const single = pool && one(offer(pool))
      return (pool && (take(offer(pool)) ?? (single ? [single] : undefined))) ?? []
    }
    const rank = (pool: Pool) => ((pool.allocation?.priority ?? 0) > 0 ? pool.allocation!.priority : 999)
    const order = [...this.pools].sort((x, y) => rank(x) - rank(y) || (x.name < y.name ? -1 : 1))
    for (const pinned of [true, false]) {
      const list = order.filter(pool => (pool.allocation !== undefined) === pinned && pool.autoAssign)
      const offers = list.filter(pool => this.admits(pool, service)).map(offer)
      const singles = offers.flatMap(found => one(found) ?? [])
      const best = singles.find(address => familyOf(address) === 'ipv4') ?? singles[0]
      const taken = offers.map(take).find(found => found !== undefined) ?? (best ? [best] : undefined)
      if (taken !== undefined) return taken
    }
    return []
  }

  /** What the Service should hold; `current` is what its status shows, or what it was given unseen. */
  settle(service: Service, current: readonly string[]): string[] {
    this.held.delete(service.key)
    const addresses = this.#settled(service, current)
    if (addresses.length > 0) this.held.set(service.key, { service, addresses })
    return addresses
  }

  #settled(service: Service, current: readonly string[]): string[] {
    if (this.pools.length === 0) return []
    const { clusterIPs, loadBalancerIP, ipFamilyPolicy } = service
    const dual = clusterIPs.length === 2
    let keep = this.wanted(service, current)
    if (!this.valid(keep, service)) keep = keep.filter(address => this.valid([address], service)).slice(0, 1)
    const pool = keep.length === 0 ? undefined : this.poolOf(keep)
    const wanted = service.annotations['metallb.io/address-pool']
    if (wanted !== undefined && pool?.name !== wanted) keep = []
    const exact = !dual || ipFamilyPolicy !== 'PreferDualStack'
    if (loadBalancerIP !== '' && (!keep.includes(loadBalancerIP) || (exact && (keep.length > 1 || dual)))) keep = []
    if (keep.length === 0) keep = this.choose(service)
    if (keep.length !== 1 || !dual) return keep
    const other = this.first(this.poolOf(keep)!, familyOf(keep[0]!) === 'ipv4' ? 'ipv6' : 'ipv4', service)
    if (other !== undefined) return [...keep, other]
    return ipFamilyPolicy === 'PreferDualStack' ? keep : this.choose(service)
  }
}

function familyOf(text: string): Family {
  return text.includes(':') ? 'ipv6' : 'ipv4'
}

/** Both allocators, and the statuses as the API would hold them. */
class History {
  readonly naive = new Naive()
  allocator = new Allocator()
  readonly services = new Map<string, Service>()
  /** Whose last write failed and was not repeated. */
  readonly #unwritten = new Set<string>()

  run(key: string, writeFails = false): void {
    const service = this.services.get(key)!
    const held = this.allocator.allocationOf(key)
    const shown = service.ingress.map(({ text }) => text)
    const unseen = held?.confirmed === false ? this.naive.wanted(service, held.addresses.map(formatAddress)) : []
    const current = shown.length > 0 || !this.naive.valid(unseen, service) ? shown : unseen
    const expected = this.naive.settle(service, current)
    const outcome = converge(this.allocator, service)
    assert.deepEqual(outcome.addresses.map(formatAddress), expected, `${key} had ${current.join(' ')}`)
    this.allocator.wait(service, outcome.needs)
    if (writeFails) this.#unwritten.add(key)
    else {
      this.#unwritten.delete(key)
      this.services.set(key, { ...service, ingress: ingressOf(outcome.addresses) })
    }
    for (let next = this.allocator.waiting.next(); next !== undefined; next = this.allocator.waiting.next())
      if (this.services.has(next)) this.run(next)
  }

  put(service: Service, writeFails: boolean): void {
    const before = this.services.get(service.key)
    this.services.set(service.key, before ? { ...service, created: before.created, ingress: before.ingress } : service)
    this.run(service.key, writeFails)
  }

  edit(key: string, text: string): void {
    const service = this.services.get(key)
    if (service === undefined) return
    this.services.set(key, { ...service, ingress: ingressOf(text === '' ? [] : [parseAddress(text)!]) })
    this.run(key)
  }

  remove(key: string): void {
    if (!this.services.delete(key)) return
    this.naive.held.delete(key)
    this.allocator.release(key)
    this.allocator.waiting.forget(key)
    const next = this.allocator.waiting.next()
    if (next !== undefined) this.run(next)
  }

  setPools(pools: readonly Pool[]): void {
    this.naive.pools = pools
    const { changed, affected } = this.allocator.setPools(pools)
    for (const [key, { service, addresses }] of [...this.naive.held]) {
      const kept = [addresses, ...addresses.map(address => [address])].find(some => this.naive.poolOf(some))
      if (kept) this.naive.held.set(key, { service, addresses: kept })
      else this.naive.held.delete(key)
    }
    if (!changed) return
    const again = [...this.services.values()].filter(
      ({ key }) => affected.includes(key) || !this.allocator.allocationOf(key) || this.allocator.waiting.has(key),
    )
    this.runAll(again)
  }

  runAll(list: readonly Service[]): void {
    const claims = list.filter(({ ingress }) => ingress.length > 0).sort(byAge)
    const others = list.filter(({ ingress }) => ingress.length === 0).sort(byAge)
    for (const { key } of [...claims, ...others]) this.run(key)
  }

  restart(): void {
    this.allocator = new Allocator()
    this.allocator.setPools(this.naive.pools)
    this.naive.held.clear()
    learn(this.allocator, [...this.services.values()])
    for (const service of [...this.services.values()].sort(byAge)) {
      const shown = service.ingress.map(({ text }) => text)
      const held = [shown, ...shown.map(address => [address])].find(
        some => some.length > 0 && this.naive.valid(some, service),
      )
      if (held) this.naive.held.set(service.key, { service, addresses: held })
    }
    this.runAll([...this.services.values()])
  }

  /** What must be true between any two steps. */
  check(): void {
    const counted = new Map<string, Set<string>>()
    for (const service of this.services.values()) {
      const held = this.allocator.allocationOf(service.key)?.addresses.map(formatAddress) ?? []
      assert.deepEqual(held, this.naive.held.get(service.key)?.addresses ?? [], service.key)
      for (const address of held) {
        assert.ok(this.naive.usable(address, service), `${service.key} may not have ${address}`)
        const { name } = this.naive.poolOf([address])!
        counted.set(name, (counted.get(name) ?? new Set()).add(address))
      }
    }
    for (const pool of this.naive.pools) this.#checkCounters(pool, counted.get(pool.name) ?? new Set())
  }

  #checkCounters(pool: Pool, inUse: ReadonlySet<string>): void {
    const usage = this.allocator.usage(pool.name)!
    for (const family of ['ipv4', 'ipv6'] as const) {
      const used = [...inUse].filter(address => familyOf(address) === family).length
      assert.equal(usage.assigned[family], BigInt(used))
      assert.equal(usage.available[family], BigInt(this.naive.addressesOf(pool, family).length - used))
    }
  }

  /** Nobody waits for what could be had, and another look moves nobody. */
  checkQuiet(): void {
    for (const { key } of [...this.services.values()].sort(byAge)) {
      const before = this.services.get(key)!.ingress
      if (this.#unwritten.has(key)) continue
      this.run(key)
      assert.deepEqual(this.services.get(key)!.ingress, before, key)
    }
  }
}

function ingressOf(addresses: readonly Address[]): Service['ingress'] {
  return addresses.map(address => ({ text: formatAddress(address), address }))
}

const keys = fc.constantFrom('n1/a', 'n1/b', 'n1/c', 'n2/d', 'n2/e', 'n2/f')
const someAddress = fc.constantFrom('10.0.0.0', '10.0.0.4', '10.0.1.254', '10.0.2.0', '10.0.4.1', 'fd00::', 'fd00::10')

const sketches = fc.record({
  key: keys,
  stack: fc.constantFrom('v4', 'v4', 'v4', 'v6', 'prefer', 'require', 'preferOne'),
  sharing: fc.constantFrom('', 'k', 'k', 'k', 'l'),
  port: fc.integer({ min: 80, max: 82 }),
  local: fc.constantFrom('', '', 'x'),
  app: fc.constantFrom('x', 'y'),
  pool: fc.constantFrom('a', 'b', 'e', 'gone', ...Array<undefined>(20).fill(undefined)),
  request: fc.oneof({ weight: 1, arbitrary: someAddress }, { weight: 5, arbitrary: fc.constant('') }),
})

const STACKS: Record<string, Pick<Service, 'clusterIPs' | 'ipFamilyPolicy'>> = {
  v4: { clusterIPs: ['10.96.0.1'], ipFamilyPolicy: 'SingleStack' },
  v6: { clusterIPs: ['fd01::1'], ipFamilyPolicy: 'SingleStack' },
  prefer: { clusterIPs: ['10.96.0.1', 'fd01::1'], ipFamilyPolicy: 'PreferDualStack' },
  require: { clusterIPs: ['10.96.0.1', 'fd01::1'], ipFamilyPolicy: 'RequireDualStack' },
  preferOne: { clusterIPs: ['10.96.0.1'], ipFamilyPolicy: 'PreferDualStack' },
}

function serviceOf(sketch: typeof sketches extends fc.Arbitrary<infer T> ? T : never, age: number): Service {
  const [namespace, name] = sketch.key.split('/') as [string, string]
  const families = STACKS[sketch.stack]!.clusterIPs.map(familyOf)
  const annotations: Record<string, string> = {}
  if (sketch.sharing) annotations['metallb.io/allow-shared-ip'] = sketch.sharing
  if (sketch.pool) annotations['metallb.io/address-pool'] = sketch.pool
  return {
    key: sketch.key,
    namespace,
    name,
    uid: sketch.key,
    resourceVersion: '1',
    created: String(age).padStart(4, '0'),
    labels: { app: sketch.app },
    annotations,
    type: 'LoadBalancer',
    ...STACKS[sketch.stack]!,
    ports: [{ protocol: 'TCP', port: sketch.port }],
    localTrafficPolicy: sketch.local !== '',
    selector: sketch.local === '' ? {} : { app: sketch.local },
    loadBalancerIP: sketch.request && families.includes(familyOf(sketch.request)) ? sketch.request : '',
    ingress: [],
  }
}

const steps = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      sketch: sketches,
      fails: fc.constantFrom(true, ...Array<boolean>(9).fill(false)),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('remove' as const), key: keys }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pools' as const), set: fc.nat(POOL_SETS.length - 1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('edit' as const), key: keys, text: fc.option(someAddress, { nil: '' }) }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('quiet' as const) }) },
)

test('random histories come out as with a naive allocator', () => {
  const property = fc.property(
    fc.nat(POOL_SETS.length - 1),
    fc.array(steps, { maxLength: 60, size: 'max' }),
    (first, history) => {
      const world = new History()
      world.setPools(POOL_SETS[first]!)
      for (const [age, step] of history.entries()) {
        if (step.do === 'put') world.put(serviceOf(step.sketch, age), step.fails)
        else if (step.do === 'remove') world.remove(step.key)
        else if (step.do === 'pools') world.setPools(POOL_SETS[step.set]!)
        else if (step.do === 'restart') world.restart()
        else if (step.do === 'edit') world.edit(step.key, step.text)
        else world.checkQuiet()
        world.check()
      }
    },
  )
  fc.assert(property, { numRuns: Number(process.env.FUZZ_RUNS ?? 300) })
})
