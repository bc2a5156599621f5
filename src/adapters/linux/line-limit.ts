/** Lets so many log lines pass in a second, whoever sends the packets that cause them. */
export class LineLimit {
  readonly #perSecond: number
  #second = -Infinity
  #passed = 0
  #suppressed = 0

  constructor(perSecond: number) {
    this.#perSecond = perSecond
  }

  /** How many lines were held back before this one; undefined where this one is held back too. */
  pass(nowMs: number): number | undefined {
    if (nowMs - this.#second >= 1000) {
      this.#second = nowMs
      this.#passed = 0
    }
    if (this.#passed >= this.#perSecond) {
      this.#suppressed++
      return undefined
    }
    this.#passed++
    const suppressed = this.#suppressed
    this.#suppressed = 0
    return suppressed
  }
}
