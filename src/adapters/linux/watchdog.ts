/** Far longer than any reload or collection takes, and before kubelet's liveness probe gives up (30 s). */
const WEDGED_MS = 10_000
/** Time that this thread did not run either, as of a process that was stopped, counts for no more than this at a time. */
const LONGEST_STEP_MS = 1000

/** Whether the main thread still runs: it counts a shared number up. One that may stand at a breakpoint is let be. */
export class Watchdog {
  readonly #pulse: () => number
  readonly #isInspected: () => boolean
  #last: number | undefined
  #seenMs = 0
  #silentMs = 0

  constructor(pulse: () => number, isInspected: () => boolean) {
    this.#pulse = pulse
    this.#isInspected = isInspected
  }

  isDead(nowMs: number): boolean {
    const pulse = this.#pulse()
    if (pulse !== this.#last) {
      this.#last = pulse
      this.#silentMs = 0
    } else this.#silentMs += Math.min(nowMs - this.#seenMs, LONGEST_STEP_MS)
    this.#seenMs = nowMs
    if (this.#silentMs < WEDGED_MS) return false
    if (!this.#isInspected()) return true
    this.#silentMs = 0
    return false
  }
}
