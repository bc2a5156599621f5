import type { Clock, Timer } from '../../ports/index.ts'
import { type SuspicionBounds, suspicionTimeoutMs } from './arithmetic.ts'
import { deadline } from './deadline.ts'

/** One running suspicion: each independent confirmation shortens it (Lifeguard). */
export class Suspicion {
  readonly #clock: Clock
  readonly #bounds: SuspicionBounds
  readonly #startMs: number
  readonly #accusers: Set<string>
  readonly #fire: (confirmations: number) => void
  #timer: Timer

  constructor(clock: Clock, bounds: SuspicionBounds, from: string, fire: (confirmations: number) => void) {
    this.#clock = clock
    this.#bounds = bounds
    this.#startMs = clock.monotonic()
    this.#accusers = new Set([from])
    this.#fire = fire
    this.#timer = this.#arm()
  }

  /** Answers whether it was news. */
  confirm(from: string): boolean {
    if (this.#confirmations >= this.#bounds.k || this.#accusers.has(from)) return false
    this.#accusers.add(from)
    this.#timer.cancel()
    this.#timer = this.#arm()
    return true
  }

  cancel(): void {
    this.#timer.cancel()
  }

  get #confirmations(): number {
    return this.#accusers.size - 1
  }

  #arm(): Timer {
    const end = this.#startMs + suspicionTimeoutMs(this.#bounds, this.#confirmations)
    const left = Math.max(0, end - this.#clock.monotonic())
    return deadline(this.#clock, left, () => this.#fire(this.#confirmations))
  }
}
