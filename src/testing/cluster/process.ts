import type { Clock, Random, Timer } from '../../ports/index.ts'
import type { Scheduler } from './scheduler.ts'

const WALL_START = Date.UTC(2026, 0, 1)
/** An event loop runs a timer up to so much late. */
const LATENESS_MS = 1

/**
 * One process of the simulated world, as its event loop sees time. A frozen one runs nothing; when it goes on, timers that
 * fell due come first and what arrived meanwhile after them, as in libuv. A killed one never runs anything again.
 */
export class Process implements Clock {
  readonly #scheduler: Scheduler
  readonly #random: Random
  readonly #startMs: number
  #wallOffsetMs = 0
  #alive = true
  #frozen: { timers: (() => void)[]; arrivals: (() => void)[] } | undefined
  #thaws = 0

  constructor(scheduler: Scheduler, random: Random) {
    this.#scheduler = scheduler
    this.#random = random
    this.#startMs = scheduler.now - random.next() * 1e6
  }

  get alive(): boolean {
    return this.#alive
  }

  get frozen(): boolean {
    return this.#frozen !== undefined
  }

  now(): number {
    return WALL_START + this.#scheduler.now + this.#wallOffsetMs
  }

  monotonic(): number {
    return this.#scheduler.now - this.#startMs
  }

  after(ms: number, callback: () => void): Timer {
    let armed = true
    const fire = () => {
      if (!armed || !this.#alive) return
      if (this.#frozen !== undefined) return void this.#frozen.timers.push(fire)
      armed = false
      callback()
    }
    const disarm = this.#scheduler.after(ms + this.#random.next() * LATENESS_MS, fire)
    const cancel = () => {
      armed = false
      disarm()
    }
    return { cancel }
  }

  /** Something reached the process from outside: a datagram, bytes, a connection. */
  arrive(callback: () => void): void {
    if (!this.#alive) return
    if (this.#frozen !== undefined) this.#frozen.arrivals.push(() => this.arrive(callback))
    else callback()
  }

  /** Wall time jumps; monotonic time does not notice. */
  jump(ms: number): void {
    this.#wallOffsetMs += ms
  }

  /** Stands still for so long (SIGSTOP, a blocked thread, a machine without time to run); a second call prolongs. */
  freeze(ms: number, thawed: () => void): void {
    this.#frozen ??= { timers: [], arrivals: [] }
    const thaw = ++this.#thaws
    this.#scheduler.after(ms, () => {
      if (thaw !== this.#thaws || !this.#alive) return
      const { timers, arrivals } = this.#frozen!
      this.#frozen = undefined
      thawed()
      for (const run of [...timers, ...arrivals]) run()
    })
  }

  kill(): void {
    this.#alive = false
    this.#frozen = undefined
  }
}
