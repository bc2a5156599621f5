import type { Reservation } from '../config/index.ts'
import { type Family, type Range, rangeSize } from '../ip/index.ts'
import { addCounts, isBuggy, rangeCapacity } from './capacity.ts'
import { FreeRanks } from './ranks.ts'
import { Reserved } from './reserved.ts'
import { Resting } from './resting.ts'
import type { ShareKey } from './share.ts'

/** What one Service holds. */
export interface Holding {
  readonly key: string
  readonly ports: readonly string[]
  readonly share: ShareKey
}

/** One address in use. */
export interface Use {
  /** By Service key. */
  readonly holders: Map<string, Holding>
  /** Who has which port; kept once two have held the address together. */
  ports?: Map<string, string>
  /** The group of all its holders; empty where they do not agree or do not share. */
  group: string
}

/**
 * The addresses of one family in one pool, numbered in the order they are handed out: ranges as written, ascending
 * inside a range. Addresses that can never be handed out have a rank too and are skipped.
 */
export class Space {
  readonly family: Family
  /** Addresses that can be handed out, saturated. */
  readonly capacity: bigint
  /** Addresses in use, by rank. */
  readonly uses = new Map<bigint, Use>()
  readonly #ranges: { first: bigint; last: bigint; rank: bigint }[] = []
  readonly #avoidBuggyIPs: boolean
  readonly #free: FreeRanks
  readonly #reserved: Reserved
  /** Reserved addresses in use or in quarantine. */
  #takenReserved = 0n
  /** Released addresses that only their last holder may have before the time; the first entry ends first. */
  readonly quarantine = new Resting()
  /** Group to its ranks, ascending. */
  readonly #shared = new Map<string, bigint[]>()

  constructor(
    family: Family,
    ranges: readonly Range[],
    avoidBuggyIPs: boolean,
    reservations: readonly Reservation[] = [],
  ) {
    this.family = family
    this.#avoidBuggyIPs = avoidBuggyIPs && family === 'ipv4'
    this.#reserved = new Reserved(reservations.filter(({ range }) => range.family === family))
    let rank = 0n
    let capacity = 0n
    for (const range of ranges) {
      if (range.family !== family) continue
      this.#ranges.push({ first: range.first, last: range.last, rank })
      rank += rangeSize(range)
      capacity = addCounts(capacity, rangeCapacity(range, avoidBuggyIPs))
    }
    this.capacity = capacity
    this.#free = new FreeRanks(rank, candidate => this.#isBlocked(candidate))
  }

  #isBlocked(rank: bigint): boolean {
    return this.#isTaken(rank) || this.#isExcluded(rank) || this.reservationOf(rank) !== undefined
  }

  #isTaken(rank: bigint): boolean {
    return this.uses.has(rank) || this.quarantine.has(rank)
  }

  /** The reservation that has the address. */
  reservationOf(rank: bigint): Reservation | undefined {
    return this.#reserved.size === 0n ? undefined : this.#reserved.at(this.addressAt(rank))
  }

  /** Free addresses that are kept back. */
  get heldBack(): bigint {
    return this.#reserved.size - this.#takenReserved + BigInt(this.quarantine.size)
  }

  /** The rank is taken, or free again. */
  #count(rank: bigint, by: 1n | -1n): void {
    if (this.reservationOf(rank) !== undefined) this.#takenReserved += by
  }

  /** The free address that is kept for just this Service. */
  #own(key: string): bigint | undefined {
    for (const range of this.#reserved.rangesOf(key))
      for (let value = range.first; value <= range.last; value++) {
        const rank = this.rankOf(value)
        if (rank === undefined || this.uses.has(rank) || !this.offers(value)) continue
        if ((this.quarantine.get(rank)?.key ?? key) === key) return rank
      }
    for (const rank of this.quarantine.ranksOf(key)) if (this.reservationOf(rank) === undefined) return rank
    return undefined
  }

  /** The rank of an address, where it lies in a range. */
  rankOf(value: bigint): bigint | undefined {
    const range = this.#ranges.find(({ first, last }) => first <= value && value <= last)
    return range && range.rank + (value - range.first)
  }

  /** Keeps an address that nobody uses for its last holder, no shorter than those that are kept already. */
  keep(rank: bigint, key: string, until: number): void {
    if (!this.#isTaken(rank)) this.#count(rank, 1n)
    this.quarantine.set(rank, { key, until })
  }

  /** The address is for everybody again. */
  expire(rank: bigint): void {
    if (this.quarantine.delete(rank)) this.#count(rank, -1n)
    this.#free.release(rank)
  }

  #isExcluded(rank: bigint): boolean {
    return this.#avoidBuggyIPs && isBuggy(this.addressAt(rank))
  }

  /** The address with the rank, as its number. */
  addressAt(rank: bigint): bigint {
    let low = 0
    for (let high = this.#ranges.length - 1; low < high; ) {
      const middle = (low + high + 1) >> 1
      if (this.#ranges[middle]!.rank <= rank) low = middle
      else high = middle - 1
    }
    const range = this.#ranges[low]!
    return range.first + (rank - range.rank)
  }

  /** First and last address of each range and the rank of the first. */
  get ranges(): readonly { first: bigint; last: bigint; rank: bigint }[] {
    return this.#ranges
  }

  /** Whether the address may be handed out at all. */
  offers(value: bigint): boolean {
    return !(this.#avoidBuggyIPs && isBuggy(value))
  }

  /** An address in no use, be it kept for somebody; for who waits it stands for all of them. */
  get unused(): bigint | undefined {
    const free = this.#free.lowest()
    if (free !== undefined) return free
    for (const range of this.#reserved.ranges)
      for (let value = range.first; value <= range.last; value++) {
        const rank = this.rankOf(value)
        if (rank !== undefined && !this.uses.has(rank)) return rank
      }
    const [resting] = this.quarantine
    return resting?.[0]
  }

  /** The lowest address that anybody may have. */
  get lowestFree(): bigint | undefined {
    return this.#free.lowest()
  }

  /** The first usable rank for such a Service: free, or shared by its group with none of its ports taken. */
  firstUsable(wanted: Holding): bigint | undefined {
    const own = this.#own(wanted.key)
    if (own !== undefined) return own
    const free = this.#free.lowest()
    const shared = wanted.share.group === '' ? undefined : this.#firstShareable(wanted, free)
    return shared ?? free
  }

  #firstShareable(wanted: Holding, below: bigint | undefined): bigint | undefined {
    for (const rank of this.#shared.get(wanted.share.group) ?? []) {
      if (below !== undefined && rank > below) return undefined
      if (clashingPort(this.uses.get(rank)!, wanted) === undefined) return rank
    }
    return undefined
  }

  add(rank: bigint, holding: Holding): void {
    const use: Use = this.uses.get(rank) ?? { holders: new Map(), group: '' }
    const { group } = holding.share
    const agreed = use.holders.size === 0 || use.group === group ? group : ''
    if (!this.#isTaken(rank)) this.#count(rank, 1n)
    use.holders.set(holding.key, holding)
    this.quarantine.delete(rank)
    if (use.ports === undefined && use.holders.size > 1) use.ports = portsOf(use)
    else for (const port of holding.ports) use.ports?.set(port, holding.key)
    this.uses.set(rank, use)
    this.#regroup(rank, use, agreed)
  }

  /** What is left of the use, or undefined where the address is free now. */
  remove(rank: bigint, holding: Holding): Use | undefined {
    const use = this.uses.get(rank)!
    use.holders.delete(holding.key)
    for (const port of holding.ports) if (use.ports?.get(port) === holding.key) use.ports.delete(port)
    if (use.holders.size > 0) {
      if (use.group === '') this.#regroup(rank, use, commonGroup(use))
      return use
    }
    this.#regroup(rank, use, '')
    this.uses.delete(rank)
    this.#count(rank, -1n)
    this.#free.release(rank)
    return undefined
  }

  #regroup(rank: bigint, use: Use, group: string): void {
    if (use.group === group) return
    if (use.group !== '') this.#unshare(use.group, rank)
    use.group = group
    if (group === '') return
    const ranks = this.#shared.get(group) ?? []
    ranks.splice(lowerBound(ranks, rank), 0, rank)
    this.#shared.set(group, ranks)
  }

  #unshare(group: string, rank: bigint): void {
    const ranks = this.#shared.get(group)!
    ranks.splice(lowerBound(ranks, rank), 1)
    if (ranks.length === 0) this.#shared.delete(group)
  }
}

/** The first of the wanted ports that another Service has on the address. */
export function clashingPort(use: Use, wanted: Holding): string | undefined {
  const ports = use.ports ?? portsOf(use)
  return wanted.ports.find(port => (ports.get(port) ?? wanted.key) !== wanted.key)
}

function portsOf({ holders }: Use): Map<string, string> {
  const ports = new Map<string, string>()
  for (const { key, ports: own } of holders.values()) for (const port of own) ports.set(port, key)
  return ports
}

function commonGroup(use: Use): string {
  const groups = new Set([...use.holders.values()].map(({ share }) => share.group))
  const [group] = groups
  return groups.size === 1 ? group! : ''
}

function lowerBound(ranks: readonly bigint[], rank: bigint): number {
  let low = 0
  for (let high = ranks.length; low < high; ) {
    const middle = (low + high) >> 1
    if (ranks[middle]! < rank) low = middle + 1
    else high = middle
  }
  return low
}
