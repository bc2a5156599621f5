import type { Clock, Timer } from '../ports/index.ts'

/** Rings once at the time it is set to; setting it again replaces that time. */
export class Alarm {
  readonly #clock: Clock
  readonly #ring: () => void
  #armed: { readonly at: number; readonly timer: Timer } | undefined

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock
    this.#ring = ring
  }

  get armed(): boolean {
    return this.#armed !== undefined
  }

  /** Milliseconds of the monotonic clock; undefined for never. */
  set(at: number | undefined): void {
    if (at === this.#armed?.at) return
    this.#armed?.timer.cancel()
    this.#armed = undefined
    if (at === undefined) return
    const timer = this.#clock.after(Math.max(0, at - this.#clock.monotonic()), () => {
      this.#armed = undefined
      this.#ring()
    })
    this.#armed = { at, timer }
  }
}
