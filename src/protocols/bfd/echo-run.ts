/** Echo packets of one session, RFC 5880 sections 6.4 and 6.8.9: sent while the session is up, missed when too many are lost. */
import type { Random } from '../../ports/index.ts'
import { jitter } from './timing.ts'

export class EchoRun {
  readonly #random: Random
  readonly #send: (sequence: number) => void
  #intervalMs: number | 'never' = 'never'
  #multiplier = 0
  #sequence = 0
  #oldest = 0
  #heardAt = 0
  #excusedMs = 0
  #sendAt = Infinity

  constructor(random: Random, send: (sequence: number) => void) {
    this.#random = random
    this.#send = send
  }

  /** When the session is to be declared down: as many as the multiplier says did not come back. */
  get failsAt(): number {
    if (this.#intervalMs === 'never') return Infinity
    return this.#heardAt + this.#multiplier * this.#intervalMs + this.#excusedMs
  }

  get nextAt(): number {
    return Math.min(this.#sendAt, this.failsAt)
  }

  /** Starts, stops, or goes on at another pace. */
  run(intervalMs: number | 'never', multiplier: number, now: number): void {
    this.#multiplier = multiplier
    if (intervalMs === this.#intervalMs) return
    this.#intervalMs = intervalMs
    this.#heardAt = now // no echo can have come back at this pace
    this.#oldest = this.#sequence // and those of an earlier run do not count
    this.#sendAt = intervalMs === 'never' ? Infinity : now
  }

  receive(sequence: number, now: number): void {
    if (this.#intervalMs === 'never' || sequence < this.#oldest || sequence >= this.#sequence) return
    this.#heardAt = now
    this.#excusedMs = 0
  }

  excuse(lateMs: number): void {
    this.#excusedMs = lateMs
  }

  tick(now: number): void {
    if (this.#intervalMs === 'never' || now < this.#sendAt) return
    this.#send(this.#sequence)
    this.#sequence = (this.#sequence + 1) % 0x1_0000_0000
    this.#sendAt = now + this.#intervalMs * jitter(this.#multiplier, this.#random.next())
  }
}
