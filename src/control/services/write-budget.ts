import type { Clock } from '../../ports/index.ts'

/**
 * How often one Service may be written: whoever else keeps changing its status must not draw us into an endless
 * exchange (chapter 02 section 6, "other actors in status").
 */
const BUDGET = { writes: 10, windowMs: 10_000 } as const

/** What is said of a Service that has spent it. */
export const CONTESTED = `written ${BUDGET.writes} times in ${BUDGET.windowMs / 1000} s: is another controller changing its status?`

export class WriteBudget {
  readonly #clock: Clock
  readonly #spent = new Map<string, { since: number; writes: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  spend(key: string): void {
    const now = this.#clock.monotonic()
    const window = this.#spent.get(key)
    if (window === undefined || now - window.since >= BUDGET.windowMs) this.#spent.set(key, { since: now, writes: 1 })
    else window.writes++
  }

  /** Milliseconds until the Service may be written again; 0 for now. */
  waitMs(key: string): number {
    const window = this.#spent.get(key)
    if (window === undefined || window.writes < BUDGET.writes) return 0
    return Math.max(0, window.since + BUDGET.windowMs - this.#clock.monotonic())
  }

  forget(key: string): void {
    this.#spent.delete(key)
  }
}
