export interface Rest {
  /** Of the Service that may have the address back. */
  readonly key: string
  readonly until: number
}

/** Addresses in quarantine, by rank, in the order in which they end; also by Service. */
export class Resting {
  readonly #byRank = new Map<bigint, Rest>()
  readonly #byKey = new Map<string, Set<bigint>>()

  get size(): number {
    return this.#byRank.size
  }

  has(rank: bigint): boolean {
    return this.#byRank.has(rank)
  }

  get(rank: bigint): Rest | undefined {
    return this.#byRank.get(rank)
  }

  /** Those that the Service may have back, the one that ends first before others. */
  ranksOf(key: string): Iterable<bigint> {
    return this.#byKey.get(key) ?? []
  }

  [Symbol.iterator](): MapIterator<[bigint, Rest]> {
    return this.#byRank[Symbol.iterator]()
  }

  /** Ends no earlier than those that rest already. */
  set(rank: bigint, rest: Rest): void {
    this.delete(rank)
    this.#byRank.set(rank, rest)
    const ranks = this.#byKey.get(rest.key) ?? new Set()
    this.#byKey.set(rest.key, ranks.add(rank))
  }

  delete(rank: bigint): boolean {
    const rest = this.#byRank.get(rank)
    if (rest === undefined) return false
    this.#byRank.delete(rank)
    const ranks = this.#byKey.get(rest.key)!
    ranks.delete(rank)
    if (ranks.size === 0) this.#byKey.delete(rest.key)
    return true
  }
}
