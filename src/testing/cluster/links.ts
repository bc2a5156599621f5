import type { Random } from '../../ports/index.ts'

export interface Conditions {
  /** Chance that a packet is lost. */
  loss: number
  /** Milliseconds on the way, and chance added to them. */
  delayMs: number
  jitterMs: number
  /** Chance that a packet is late by up to ten times the jitter: others overtake it. */
  reorder: number
  /** Chance that a packet arrives twice. */
  duplicate: number
}

/** What a switched LAN does on a day without trouble. */
export const CALM: Conditions = { loss: 0, delayMs: 0.2, jitterMs: 0.5, reorder: 0, duplicate: 0 }

/** What each direction between two machines does to packets. */
export class Links {
  /** Of every link; may be changed at any time. */
  conditions: Conditions = CALM
  readonly #random: Random
  /** `from to` of directions that carry nothing. */
  readonly #cut = new Set<string>()

  constructor(random: Random) {
    this.#random = random
  }

  /** Cuts each direction from one of the first to one of the others. */
  cut(from: readonly string[], to: readonly string[]): void {
    for (const source of from) for (const target of to) if (source !== target) this.#cut.add(`${source} ${target}`)
  }

  mend(from: readonly string[], to: readonly string[]): void {
    for (const source of from) for (const target of to) this.#cut.delete(`${source} ${target}`)
  }

  isCut(from: string, to: string): boolean {
    return this.#cut.has(`${from} ${to}`)
  }

  /** The ways of the copies of one packet that arrive, in milliseconds. */
  delays(from: string, to: string): number[] {
    const { loss, duplicate } = this.conditions
    if (this.isCut(from, to) || this.#happens(loss)) return []
    return this.#happens(duplicate) ? [this.delay(), this.delay()] : [this.delay()]
  }

  /** Whether a segment gets through; TCP sends it again where it does not. */
  passes(from: string, to: string): boolean {
    return !this.isCut(from, to) && !this.#happens(this.conditions.loss)
  }

  delay(): number {
    const { delayMs, jitterMs, reorder } = this.conditions
    const late = this.#happens(reorder) ? 10 * jitterMs * this.#random.next() : 0
    return delayMs + jitterMs * this.#random.next() + late
  }

  /** Costs no random number where it cannot happen. */
  #happens(chance: number): boolean {
    return chance > 0 && this.#random.next() < chance
  }
}
