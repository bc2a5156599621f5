interface Entry {
  readonly atMs: number
  readonly order: number
  /** Undefined once it ran or was cancelled. */
  run: (() => void) | undefined
}

/** The time of a simulated world: everything that will happen, in order of time, then of arming (a binary heap). */
export class Scheduler {
  #now = 0
  #order = 0
  #heap: Entry[] = []

  /** Milliseconds since the world began. */
  get now(): number {
    return this.#now
  }

  /** Runs it so many milliseconds from now; what is handed back cancels it. */
  after(ms: number, run: () => void): () => void {
    const entry: Entry = { atMs: this.#now + Math.max(0, ms), order: this.#order++, run }
    this.#push(entry)
    return () => {
      entry.run = undefined
    }
  }

  /** Runs what is due until then. Promises do not settle meanwhile. */
  runUntil(endMs: number): void {
    for (let first = this.#heap[0]; first !== undefined && first.atMs <= endMs; first = this.#heap[0]) {
      this.#pop()
      const { run } = first
      if (run === undefined) continue
      first.run = undefined
      this.#now = first.atMs
      run()
    }
    this.#now = endMs
  }

  #push(entry: Entry): void {
    const heap = this.#heap
    let at = heap.push(entry) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(entry, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = entry
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!isBefore(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
  }
}

const isBefore = (a: Entry, b: Entry) => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
