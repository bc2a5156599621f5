import type { Reservation } from '../config/index.ts'
import { type Range, rangeSize } from '../ip/index.ts'

/** The reservations of one family in one pool. They never share an address. */
export class Reserved {
  /** Addresses in all of them. */
  readonly size: bigint
  readonly #sorted: readonly Reservation[]
  readonly #byOwner = new Map<string, Range[]>()

  constructor(reservations: readonly Reservation[]) {
    this.#sorted = [...reservations].sort((a, b) => (a.range.first < b.range.first ? -1 : 1))
    this.size = reservations.reduce((sum, { range }) => sum + rangeSize(range), 0n)
    for (const { owner, range } of reservations)
      if (owner !== undefined) this.#byOwner.set(owner, [...(this.#byOwner.get(owner) ?? []), range])
  }

  get ranges(): Range[] {
    return this.#sorted.map(({ range }) => range)
  }

  /** As written. */
  rangesOf(owner: string): readonly Range[] {
    return this.#byOwner.get(owner) ?? []
  }

  /** The one that has the address. */
  at(value: bigint): Reservation | undefined {
    let low = 0
    for (let high = this.#sorted.length; low < high; ) {
      const middle = (low + high) >> 1
      if (this.#sorted[middle]!.range.first <= value) low = middle + 1
      else high = middle
    }
    const found = this.#sorted[low - 1]
    return found !== undefined && value <= found.range.last ? found : undefined
  }
}
