import type { Pool } from '../config/index.ts'
import { type Address, type Family, sameAddress } from '../ip/index.ts'
import type { Service } from '../service.ts'
import { admissionRefusal } from './admission.ts'
import { holdingOf, sameHolding, useAt } from './holding.ts'
import { notInOnePool, objectionTo } from './objection.ts'
import { endQuarantines, firstEnd, keepQuarantined } from './quarantine.ts'
import { Refusal } from './refusal.ts'
import type { Want } from './request.ts'
import { samePool } from './same-pool.ts'
import {
  type Candidates,
  candidatesOf,
  chooseAny,
  chooseFrom,
  chooseMore,
  chooseOther,
  unknownPool,
} from './selection.ts'
import type { Holding } from './space.ts'
import { type Place, PoolState, PoolTable } from './table.ts'
import { type PoolUsage, usageOf } from './usage.ts'
import { WaitIndex } from './wait-index.ts'

/** The addresses of one Service. */
export interface Allocation extends Holding {
  readonly addresses: readonly Address[]
  readonly pool: string
  /** The Service's status has shown these addresses; until then an empty status is a stale one (D2). */
  readonly confirmed: boolean
}

interface Held extends Holding {
  addresses: readonly Address[]
  places: readonly Place[]
  pool: string
  confirmed: boolean
}

/** What a new set of pools means. */
export interface PoolsChange {
  /** False where the pools are the same as before. */
  readonly changed: boolean
  /** Services whose pool changed; those that lost their address are among them. */
  readonly affected: readonly string[]
}

/** Who holds which address of which pool. All decisions are synchronous; nothing here knows a cluster. */
export class Allocator {
  /** Services that wait for an address. Filed by whoever converges them. */
  readonly waiting = new WaitIndex()
  #states = new Map<string, PoolState>()
  #table = new PoolTable([])
  #candidates: Candidates = { pinned: [], open: [] }
  readonly #held = new Map<string, Held>()
  readonly #touched = new Set<string>()
  readonly #now: () => number

  /** `now` counts milliseconds and never jumps; only quarantines look at it. */
  constructor(now: () => number = () => 0) {
    this.#now = now
  }

  /** In the order they are tried. */
  get pools(): readonly Pool[] {
    return [...this.#candidates.pinned, ...this.#candidates.open].map(({ pool }) => pool)
  }

  get hasPools(): boolean {
    return this.#states.size > 0
  }

  allocationOf(key: string): Allocation | undefined {
    return this.#held.get(key)
  }

  /** Services that hold the address. */
  holdersOf(address: Address): string[] {
    const place = this.#table.find(address)
    return place === undefined ? [] : [...(useAt(place)?.holders.keys() ?? [])].sort()
  }

  usage(pool: string): PoolUsage | undefined {
    const state = this.#states.get(pool)
    return state && usageOf(state)
  }

  /** Pools whose counters changed, or that came or went, since the last call. */
  takeTouched(): string[] {
    const touched = [...this.#touched]
    this.#touched.clear()
    return touched
  }

  /**
   * Takes over a new set of pools (section 2.10). Allocations keep their addresses where one pool still covers them, or
   * the one address of two that is still covered (D3); others are released.
   */
  setPools(pools: readonly Pool[]): PoolsChange {
    const before = this.#states
    this.#states = new Map()
    for (const pool of pools) {
      const known = before.get(pool.name)
      this.#states.set(pool.name, known && samePool(known.pool, pool) ? known : new PoolState(pool))
    }
    const states = [...this.#states.values()]
    this.#table = new PoolTable(states)
    this.#candidates = candidatesOf(states)
    const gone = new Set([...before.values()].filter(state => this.#states.get(state.pool.name) !== state))
    const fresh = states.filter(state => before.get(state.pool.name) !== state)
    for (const { pool } of [...gone, ...fresh]) this.#touched.add(pool.name)
    keepQuarantined(gone, this.#table, this.#now())
    const affected = [...this.#held.values()].filter(({ places }) => gone.has(places[0]!.state))
    for (const held of affected) this.#rehome(held)
    return { changed: gone.size + fresh.length > 0, affected: affected.map(({ key }) => key) }
  }

  /** When the next quarantine ends, on the clock of the constructor; undefined where there is none. */
  get nextExpiry(): number | undefined {
    return firstEnd(this.#states.values())
  }

  /** Ends the quarantines whose time has come; who waits for such an address is tried again. */
  expire(): void {
    for (const place of endQuarantines(this.#states.values(), this.#now())) this.waiting.open(place)
  }

  #rehome(held: Held): void {
    const covered = [held.addresses, ...held.addresses.map(address => [address])]
    const addresses = covered.find(candidate => this.#table.placesOf(candidate) !== undefined)
    if (addresses === undefined) {
      this.#held.delete(held.key)
      return
    }
    this.#record({ ...held, addresses, places: this.#table.placesOf(addresses)! })
  }

  /**
   * Whether the Service may hold exactly these addresses: the pool, or the first objection of section 2.5. Changes
   * nothing. `learned` applies the older sharing rule to what a status already says (D7).
   */
  check(service: Service, addresses: readonly Address[], learned = false): Pool | Refusal {
    const checked = this.#check(service, holdingOf(service), addresses, learned)
    return checked instanceof Refusal ? checked : checked[0]!.state.pool
  }

  #check(service: Service, holding: Holding, addresses: readonly Address[], learned: boolean): Place[] | Refusal {
    const places = this.#table.placesOf(addresses)
    if (places === undefined) return notInOnePool(this.#table, addresses)
    const held = this.#held.get(service.key)?.places[0]?.state
    return objectionTo({ service, holding, addresses, places, learned, held }) ?? places
  }

  /** Gives the Service exactly these addresses, in place of what it holds; refused, it keeps what it holds. */
  assign(service: Service, addresses: readonly Address[], learned = false): Allocation | Refusal {
    const holding = holdingOf(service)
    const before = this.#held.get(service.key)
    if (before !== undefined && sameHolding(before, holding) && sameList(before.addresses, addresses)) {
      if (admissionRefusal(before.places[0]!.state.pool, service) === undefined) return before
    }
    const places = this.#check(service, holding, addresses, learned)
    if (places instanceof Refusal) return places
    if (before !== undefined) this.#forget(before)
    return this.#record({ ...holding, addresses, places, pool: '', confirmed: false })
  }

  /** The status shows what the Service holds. */
  confirm(key: string): void {
    const held = this.#held.get(key)
    if (held !== undefined) held.confirmed = true
  }

  /** Answers whether anything was held. */
  release(key: string): boolean {
    const held = this.#held.get(key)
    if (held === undefined) return false
    this.#forget(held)
    this.#held.delete(key)
    return true
  }

  /** Addresses for a Service that holds none, from the named pool or from any; changes nothing. */
  choose(service: Service, want: Want, pool?: string): Address[] | Refusal {
    const holding = holdingOf(service)
    if (pool === undefined) return chooseAny(this.#candidates, service, holding, want)
    const state = this.#states.get(pool)
    return state === undefined ? unknownPool(pool) : chooseFrom(state, service, holding, want)
  }

  /** An address of the family the Service lacks, from the pool it holds; changes nothing. */
  chooseOther(service: Service, allocation: Allocation): Address | Refusal {
    const family = allocation.addresses[0]!.family === 'ipv4' ? 'ipv6' : 'ipv4'
    return chooseOther(this.#states.get(allocation.pool)!, family, holdingOf(service))
  }

  /** One more address of a family, from the pool it holds, shared with nobody; changes nothing. */
  chooseMore(allocation: Allocation, family: Family): Address | Refusal {
    return chooseMore(this.#states.get(allocation.pool)!, family)
  }

  /** Files what the Service waits for. */
  wait(service: Service, needs: Refusal['needs']): void {
    if (needs.length === 0) this.waiting.forget(service.key)
    else this.waiting.file(service, holdingOf(service), needs)
  }

  #record(held: Held): Allocation {
    const { state } = held.places[0]!
    for (const { family, rank } of held.places) state.spaces[family].add(rank, held)
    held.pool = state.pool.name
    state.services++
    countNamespace(state, held.key, 1)
    this.#held.set(held.key, held)
    this.#touched.add(held.pool)
    return held
  }

  /** A quota has room again: any address in no use wakes who waits on it. */
  #openAny(state: PoolState): void {
    for (const family of ['ipv4', 'ipv6'] as const) {
      const rank = state.spaces[family].unused
      if (rank !== undefined) this.waiting.open({ state, family, rank })
    }
  }

  #forget(held: Held): void {
    const { state } = held.places[0]!
    for (const place of held.places) {
      const space = state.spaces[place.family]
      const left = space.remove(place.rank, held)
      const { quarantineMs } = state.pool
      const rests = left === undefined && quarantineMs !== undefined
      if (rests) space.keep(place.rank, held.key, this.#now() + quarantineMs)
      if (!rests || state.pool.quotas !== undefined) this.waiting.open(place) // a quota that has room wakes as well
    }
    state.services--
    countNamespace(state, held.key, -1)
    if (state.pool.quotas !== undefined) this.#openAny(state)
    this.#touched.add(held.pool)
  }
}

/** The namespaces of a pool with quotas; nobody else counts them. */
function countNamespace({ pool, byNamespace }: PoolState, key: string, by: 1 | -1): void {
  if (pool.quotas === undefined) return
  const namespace = key.slice(0, key.indexOf('/'))
  byNamespace.set(namespace, (byNamespace.get(namespace) ?? 0) + by)
}

function sameList(a: readonly Address[], b: readonly Address[]): boolean {
  return a.length === b.length && a.every((address, index) => sameAddress(address, b[index]!))
}
