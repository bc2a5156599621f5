/** Who answers for which address, as clients see it: every change, and how long nobody or several did. */

export interface Change {
  readonly atMs: number
  readonly node: string
  readonly address: string
  readonly gains: boolean
}

/** A time in which an address had no answer, or more than one. */
export interface Spell {
  readonly kind: 'nobody' | 'several'
  readonly address: string
  readonly fromMs: number
  /** Absent while it lasts. */
  readonly toMs?: number
}

/** Clients that reach these nodes alone. */
export interface Audience {
  readonly nodes: readonly string[]
  /** Somebody among them has to answer. */
  readonly needsOwner: boolean
}

export class Ownership {
  /** Those that clients ask for. */
  readonly addresses: string[]
  readonly changes: Change[] = []
  /** Called after each change. */
  onChange: (change: Change) => void = () => {}
  /** Called after each time without an answer, or with several. */
  onSpell: (spell: Spell) => void = () => {}
  readonly #now: () => number
  readonly #tables = new Map<string, ReadonlySet<string>>()
  readonly #mute = new Set<string>()
  readonly #running = new Map<string, Spell>()
  #audiences: readonly Audience[] = []

  constructor(addresses: readonly string[], now: () => number) {
    this.addresses = [...addresses]
    this.#now = now
  }

  /** The table of a node's responder is another. */
  update(node: string, table: Iterable<string>): void {
    const [before, after] = [this.#tables.get(node) ?? new Set<string>(), new Set(table)]
    this.#tables.set(node, after)
    for (const address of before) if (!after.has(address)) this.#changed({ node, address, gains: false })
    for (const address of after) if (!before.has(address)) this.#changed({ node, address, gains: true })
  }

  watch(address: string): void {
    this.addresses.push(address)
    this.#count(address)
  }

  /** Nobody asks for it any more; who answers is no matter. */
  ignore(address: string): void {
    this.addresses.splice(this.addresses.indexOf(address), 1)
    for (const key of [...this.#running.keys()]) if (key.endsWith(` ${address}`)) this.#end(key)
  }

  heldBy(node: string): string[] {
    return [...(this.#tables.get(node) ?? [])]
  }

  /** Whether the node answers at all. */
  silence(node: string, mute: boolean): void {
    if (mute) this.#mute.add(node)
    else this.#mute.delete(node)
    this.#count()
  }

  /** Clients are on several sides of a cut, or (none given) see every node. Spells begin anew. */
  divide(...audiences: readonly Audience[]): void {
    this.#audiences = audiences
    for (const key of [...this.#running.keys()]) this.#end(key)
    this.#count()
  }

  /** Nodes that answer for the address, seen from one side (0 where there is only one). */
  owners(address: string, audience = 0): string[] {
    const side = this.#audiences[audience]
    const answers = ([node, table]: [string, ReadonlySet<string>]) =>
      table.has(address) && !this.#mute.has(node) && (side?.nodes.includes(node) ?? true)
    return [...this.#tables].filter(answers).map(([node]) => node)
  }

  get sides(): number {
    return Math.max(1, this.#audiences.length)
  }

  /** Those that last. */
  get spells(): Spell[] {
    return [...this.#running.values()]
  }

  #changed(change: Omit<Change, 'atMs'>): void {
    const full = { atMs: this.#now(), ...change }
    this.changes.push(full)
    if (!this.addresses.includes(change.address)) return
    this.#count(change.address)
    this.onChange(full)
  }

  #count(only?: string): void {
    for (const address of only === undefined ? this.addresses : [only])
      for (let side = 0; side < this.sides; side++) {
        const count = this.owners(address, side).length
        const needsOwner = this.#audiences[side]?.needsOwner ?? true
        const kind = count === 0 && needsOwner ? 'nobody' : count > 1 ? 'several' : undefined
        const key = `${side} ${address}`
        if (this.#running.get(key)?.kind === kind) continue
        this.#end(key)
        if (kind !== undefined) this.#running.set(key, { kind, address, fromMs: this.#now() })
      }
  }

  #end(key: string): void {
    const spell = this.#running.get(key)
    if (spell === undefined) return
    this.#running.delete(key)
    if (spell.fromMs < this.#now()) this.onSpell({ ...spell, toMs: this.#now() })
  }
}
