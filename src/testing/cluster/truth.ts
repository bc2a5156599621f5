/** What is really so in the simulated cluster, and what was so a moment ago: whoever errs is measured against it. */

/** A process that stands still for so long, and a packet in a hundred lost, must move nothing. */
export const TOLERATED = { stallMs: 200, loss: 0.01 }

export type Life = 'down' | 'starting' | 'announcing' | 'leaving'

export class Truth {
  readonly #now: () => number
  readonly #lives = new Map<string, Life>()
  readonly #running = new Set<string>()
  /** Names of nodes, and `a b` of pairs in name order, that are in trouble (Infinity) or were until then. */
  readonly #trouble = new Map<string, number>()
  /** Their interface is lost. */
  readonly #unplugged = new Set<string>()
  readonly #ended = new Map<string, number>()
  /** The last thing that may leave an address without an answer, and the last thing of any kind. */
  lastHardMs = Number.NEGATIVE_INFINITY
  lastChangeMs = Number.NEGATIVE_INFINITY

  constructor(nodes: readonly string[], now: () => number) {
    this.#now = now
    for (const node of nodes) this.#lives.set(node, 'down')
    for (const node of nodes) this.#trouble.set(node, Number.POSITIVE_INFINITY)
  }

  life(node: string): Life {
    return this.#lives.get(node)!
  }

  /** Nodes whose speaker announces, in name order. */
  get announcing(): string[] {
    return [...this.#lives].filter(([, life]) => life === 'announcing').map(([node]) => node)
  }

  /** Whether it can announce, if its speaker does. */
  isAble(node: string): boolean {
    return !this.#unplugged.has(node)
  }

  /** Those of them that have their interface. */
  get able(): string[] {
    return this.announcing.filter(node => this.isAble(node))
  }

  /** Those that start or announce. */
  get running(): ReadonlySet<string> {
    return this.#running
  }

  /** Whether it runs, or did a moment ago. */
  wasRunning(node: string, withinMs: number): boolean {
    return this.life(node) !== 'down' || (this.#ended.get(node) ?? Number.NEGATIVE_INFINITY) > this.#now() - withinMs
  }

  lives(node: string, life: Life): void {
    const before = this.life(node)
    if (life === 'down') this.#ended.set(node, this.#now())
    this.#lives.set(node, life)
    if (life === 'starting' || life === 'announcing') this.#running.add(node)
    else this.#running.delete(node)
    this.#moved(life === 'down' && before !== 'leaving')
    if (life === 'announcing') this.over(node)
    else this.#trouble.set(node, Number.POSITIVE_INFINITY)
  }

  /** The node, or the pair of nodes, is in trouble. */
  trouble(key: string): void {
    this.#moved(true)
    this.#trouble.set(key, Number.POSITIVE_INFINITY)
  }

  over(key: string): void {
    if (this.#trouble.get(key) !== Number.POSITIVE_INFINITY) return
    this.#moved(key.includes(' '))
    this.#trouble.set(key, this.#now())
  }

  unplugged(node: string): void {
    this.#unplugged.add(node)
    this.trouble(node)
  }

  plugged(node: string): void {
    this.#unplugged.delete(node)
    if (this.life(node) === 'announcing') this.over(node)
  }

  /** Anything that everybody suffers. */
  disturbed(): void {
    this.#moved(true)
  }

  isTroubled(key: string, withinMs: number): boolean {
    return (this.#trouble.get(key) ?? Number.NEGATIVE_INFINITY) > this.#now() - withinMs
  }

  /** With how many others the node cannot speak, in one direction at least. */
  cuts(node: string, withinMs: number): number {
    const involved = [...this.#trouble.keys()].filter(key => key.includes(' ') && key.split(' ').includes(node))
    return involved.filter(key => this.isTroubled(key, withinMs)).length
  }

  #moved(hard: boolean): void {
    this.lastChangeMs = this.#now()
    if (hard) this.lastHardMs = this.#now()
  }
}

export const pairOf = (a: string, b: string) => (a < b ? `${a} ${b}` : `${b} ${a}`)
