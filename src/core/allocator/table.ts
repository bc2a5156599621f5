import type { Pool } from '../config/index.ts'
import type { Address, Family } from '../ip/index.ts'
import { Space } from './space.ts'

/** A pool with its addresses and who uses them. */
export class PoolState {
  readonly pool: Pool
  readonly spaces: Readonly<Record<Family, Space>>
  /** Services that hold an address of the pool. */
  services = 0
  /** The same by namespace. */
  readonly byNamespace = new Map<string, number>()

  constructor(pool: Pool) {
    this.pool = pool
    const space = (family: Family) => new Space(family, pool.ranges, pool.avoidBuggyIPs, pool.reservations)
    this.spaces = { ipv4: space('ipv4'), ipv6: space('ipv6') }
  }
}

/** Where an address lies: its pool and its rank there. */
export interface Place {
  readonly state: PoolState
  readonly family: Family
  readonly rank: bigint
}

interface Interval {
  readonly first: bigint
  readonly last: bigint
  readonly rank: bigint
  readonly state: PoolState
}

/** All ranges of all pools in order: finds the pool of an address in O(log ranges). Ranges never overlap. */
export class PoolTable {
  readonly #intervals: Readonly<Record<Family, Interval[]>> = { ipv4: [], ipv6: [] }

  constructor(states: Iterable<PoolState>) {
    for (const state of states)
      for (const { family, ranges } of Object.values(state.spaces))
        for (const range of ranges) this.#intervals[family].push({ ...range, state })
    for (const intervals of Object.values(this.#intervals)) intervals.sort((a, b) => (a.first < b.first ? -1 : 1))
  }

  /** Undefined where no pool has the address, or its pool never hands it out (avoidBuggyIPs). */
  find({ family, value }: Address): Place | undefined {
    const intervals = this.#intervals[family]
    let low = 0
    for (let high = intervals.length; low < high; ) {
      const middle = (low + high) >> 1
      if (intervals[middle]!.first <= value) low = middle + 1
      else high = middle
    }
    const interval = intervals[low - 1]
    if (interval === undefined || value > interval.last) return undefined
    const { state, first, rank } = interval
    return state.spaces[family].offers(value) ? { state, family, rank: rank + (value - first) } : undefined
  }

  /** Where the addresses lie, provided that one pool has them all. */
  placesOf(addresses: readonly Address[]): Place[] | undefined {
    const places = addresses.map(address => this.find(address))
    const state = places[0]?.state
    return state !== undefined && places.every(place => place?.state === state) ? (places as Place[]) : undefined
  }
}
