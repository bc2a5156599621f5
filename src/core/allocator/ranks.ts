/** The lowest free place of a numbered row, without ever walking the row (chapter 02 section 4). */

/** A binary heap of numbers, smallest on top. */
class MinHeap {
  readonly #items: bigint[] = []

  get top(): bigint | undefined {
    return this.#items[0]
  }

  push(value: bigint): void {
    const items = this.#items
    let at = items.push(value) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (items[parent]! <= value) break
      items[at] = items[parent]!
      at = parent
    }
    items[at] = value
  }

  pop(): void {
    const items = this.#items
    const last = items.pop()
    if (last === undefined || items.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= items.length) break
      if (child + 1 < items.length && items[child + 1]! < items[child]!) child++
      if (items[child]! >= last) break
      items[at] = items[child]!
      at = child
    }
    items[at] = last
  }
}

/**
 * Finds the lowest rank from 0 to `size - 1` that is not blocked. Every rank below `#fresh` was blocked when passed, so
 * the lowest free one is the lowest released below it, else `#fresh` itself. Memory grows with what was handed out,
 * not with the row.
 */
export class FreeRanks {
  readonly #size: bigint
  readonly #blocked: (rank: bigint) => boolean
  readonly #released = new MinHeap()
  readonly #queued = new Set<bigint>()
  #fresh = 0n

  /** `blocked` answers for ranks that are taken or can never be given out. */
  constructor(size: bigint, blocked: (rank: bigint) => boolean) {
    this.#size = size
    this.#blocked = blocked
  }

  /** Tells that a rank is no longer blocked. */
  release(rank: bigint): void {
    if (rank >= this.#fresh || this.#queued.has(rank)) return
    this.#queued.add(rank)
    this.#released.push(rank)
  }

  /** The lowest free rank; it stays free. Amortised O(log n). */
  lowest(): bigint | undefined {
    for (let top = this.#released.top; top !== undefined; top = this.#released.top) {
      if (!this.#blocked(top)) return top
      this.#released.pop()
      this.#queued.delete(top)
    }
    while (this.#fresh < this.#size && this.#blocked(this.#fresh)) this.#fresh++
    return this.#fresh < this.#size ? this.#fresh : undefined
  }
}
