import { retransmitLimit } from './arithmetic.ts'
import { PART_OVERHEAD } from './envelope/index.ts'

interface Queued {
  readonly subject: string
  readonly bytes: Uint8Array
  readonly age: number
  readonly sent: number
  readonly finished: () => void
}

/** News to pass on: at most one message a node, the newest, each repeated a limited number of times (section 4.9). */
export class Broadcasts {
  readonly #queue = new Map<string, Queued>()
  #age = 0

  get size(): number {
    return this.#queue.size
  }

  /** `finished` is called when it was sent often enough, or replaced by newer news. */
  add(subject: string, bytes: Uint8Array, finished: () => void = () => {}): void {
    this.#queue.get(subject)?.finished()
    this.#queue.set(subject, { subject, bytes, age: this.#age++, sent: 0, finished })
  }

  /** Messages that fit into the budget together, least often sent first, then longest, then newest. */
  take(budget: number, mult: number, n: number, max = 255): Uint8Array[] {
    if (this.#queue.size === 0) return []
    const order = [...this.#queue.values()].sort(
      (a, b) => a.sent - b.sent || b.bytes.length - a.bytes.length || b.age - a.age,
    )
    const limit = retransmitLimit(mult, n)
    const taken: Uint8Array[] = []
    let left = budget
    for (const queued of order) {
      if (taken.length >= max) break
      if (queued.bytes.length + PART_OVERHEAD > left) continue
      left -= queued.bytes.length + PART_OVERHEAD
      taken.push(queued.bytes)
      this.#count(queued, limit)
    }
    return taken
  }

  #count(queued: Queued, limit: number): void {
    if (queued.sent + 1 < limit) {
      this.#queue.set(queued.subject, { ...queued, sent: queued.sent + 1 })
      return
    }
    this.#queue.delete(queued.subject)
    queued.finished()
  }
}
