import type { Clock, Logger } from '../../ports/index.ts'
import { Alarm } from '../alarm.ts'

/**
 * D18: where all pools are gone, Services keep what they have for a time, because a configuration that is being replaced
 * looks like that for a moment. While it waits nothing is decided; what was to be looked at is looked at after.
 */
export class Patience {
  readonly #clock: Clock
  readonly #log: Logger
  readonly #graceMs: number
  readonly #alarm: Alarm
  readonly #deferred = new Set<string>()

  /** `over` is called when the time is up and no pools have come; 0 ms: there is no waiting. */
  constructor(clock: Clock, log: Logger, graceMs: number, over: () => void) {
    this.#clock = clock
    this.#log = log
    this.#graceMs = graceMs
    this.#alarm = new Alarm(clock, over)
  }

  get waiting(): boolean {
    return this.#alarm.armed
  }

  /** Whether so many pools are to be waited for, from now on at the latest. */
  awaits(pools: number): boolean {
    if (pools > 0 || this.#graceMs === 0) return false
    if (this.waiting) return true
    this.#log.warn({
      event: 'noPools',
      graceMs: this.#graceMs,
      msg: 'there are no address pools, Services keep what they have',
    })
    this.#alarm.set(this.#clock.monotonic() + this.#graceMs)
    return true
  }

  defer(key: string): void {
    this.#deferred.add(key)
  }

  stop(): void {
    this.#alarm.set(undefined)
  }

  /** Ends the waiting; answers what was deferred. */
  end(): string[] {
    this.stop()
    const keys = [...this.#deferred]
    this.#deferred.clear()
    return keys
  }
}
