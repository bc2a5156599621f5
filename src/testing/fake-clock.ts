import type { Clock, Timer } from '../ports/index.ts'

/** A clock that stands still until the test moves it. */
export class FakeClock implements Clock {
  #now: number
  #wall: number
  #timers: { due: number; seq: number; callback: () => void }[] = []
  #seq = 0

  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#wall = start
    this.#now = 0
  }

  now(): number {
    return this.#wall
  }

  monotonic(): number {
    return this.#now
  }

  after(ms: number, callback: () => void): Timer {
    const timer = { due: this.#now + Math.max(0, ms), seq: this.#seq++, callback }
    this.#timers.push(timer)
    const cancel = () => {
      this.#timers = this.#timers.filter(other => other !== timer)
    }
    return { cancel }
  }

  /** Milliseconds to the next timer, undefined where none is armed. */
  get next(): number | undefined {
    return this.#timers.length === 0 ? undefined : Math.min(...this.#timers.map(timer => timer.due)) - this.#now
  }

  get armed(): number {
    return this.#timers.length
  }

  /** Moves time on and runs what falls due on the way, in order of due time, then of arming. */
  advance(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      const due = this.#first()
      if (due === undefined || due.due > end) break
      this.#timers = this.#timers.filter(timer => timer !== due)
      this.#move(due.due)
      due.callback()
    }
    this.#move(end)
  }

  /** The wall clock jumps; monotonic time does not notice. */
  jump(ms: number): void {
    this.#wall += ms
  }

  /** Moves time on in steps and lets pending promises settle between them. */
  async advanceAsync(ms: number, step = ms): Promise<void> {
    for (let moved = 0; moved < ms; moved += step) {
      await new Promise(resolve => setImmediate(resolve))
      this.advance(Math.min(step, ms - moved))
    }
    await new Promise(resolve => setImmediate(resolve))
  }

  /** A scan and no sort: simulations hold thousands of timers. */
  #first() {
    let first = this.#timers[0]
    for (const timer of this.#timers)
      if (timer.due < first!.due || (timer.due === first!.due && timer.seq < first!.seq)) first = timer
    return first
  }

  #move(to: number): void {
    this.#wall += to - this.#now
    this.#now = to
  }
}
