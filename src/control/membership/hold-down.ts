import type { Clock, DirectEvidence, Timer } from '../../ports/index.ts'
import type { ListedMember } from './memberlist.ts'

/** What a speaker tells the others of itself where addresses are to stay. */
export interface Hold {
  /** It leaves addresses to the others for now, where one of them can have them. */
  readonly held: boolean
  /** It has been well for the whole time: who comes after it is held. */
  readonly settled: boolean
}

/** Each further disturbance doubles the time, up to this factor; after as many quiet times all is forgotten. */
const MOST = 8

/**
 * Lets addresses stay where they are when a node comes back (IMP-4). A node that starts where others are settled, or that
 * was cut off, is held: it is a candidate only where nobody else is. Where all start together nobody is held. After the
 * time it is settled, and the election takes its course; what happens again and again takes longer each time.
 */
export class HoldDown {
  readonly #periodMs: number
  readonly #clock: Clock
  readonly #changed: () => void
  #hold: Hold = { held: false, settled: false }
  #timer: Timer | undefined
  #factor = 1
  #settledMs = Number.NEGATIVE_INFINITY
  #seen = 1
  #alone = false
  #usable: ReadonlySet<string> = new Set()
  readonly #lost = new Set<string>()

  /** `changed` is called when the hold is another. */
  constructor(periodMs: number, clock: Clock, changed: () => void) {
    this.#periodMs = periodMs
    this.#clock = clock
    this.#changed = changed
  }

  get hold(): Hold {
    return this.#hold
  }

  /** This speaker has joined others, who may be settled. */
  joined(othersSettled: boolean): void {
    if (this.#timer === undefined && !this.#hold.settled) this.#begin(othersSettled)
  }

  /** How many speakers this node sees, itself included: who sees others again after nobody was cut off. */
  sees(count: number): void {
    if (count === 1 && this.#seen > 1) this.#alone = true
    this.#seen = count
    if (!this.#alone || count === 1) return
    this.#alone = false
    this.#disturbed()
  }

  /** Interfaces that can be used: who has one again that was lost could not announce on it for a while. */
  uses(interfaces: readonly string[]): void {
    for (const name of this.#usable) if (!interfaces.includes(name)) this.#lost.add(name)
    this.#usable = new Set(interfaces)
    const regained = interfaces.filter(name => this.#lost.delete(name))
    if (regained.length > 0) this.#disturbed()
  }

  /** Others have the addresses of this node by now. */
  #disturbed(): void {
    const quietMs = this.#clock.monotonic() - this.#settledMs
    if (this.#hold.held || quietMs < MOST * this.#periodMs) this.#factor = Math.min(2 * this.#factor, MOST)
    else this.#factor = 1
    this.#begin(true)
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #begin(held: boolean): void {
    this.#timer?.cancel()
    this.#timer = this.#clock.after(this.#factor * this.#periodMs, () => {
      this.#settledMs = this.#clock.monotonic()
      this.#set({ held: false, settled: true })
    })
    this.#set({ held, settled: false })
  }

  #set(hold: Hold): void {
    const { held, settled } = this.#hold
    this.#hold = hold
    if (hold.held !== held || hold.settled !== settled) this.#changed()
  }
}

/** Who leaves addresses to others for now (IMP-4): a node that is heard says it first hand, before gossip does. */
export function heldOf(
  listed: ReadonlyMap<string, Pick<ListedMember, 'heartbeats' | 'held'>>,
  direct: ReadonlyMap<string, DirectEvidence>,
): ReadonlySet<string> {
  const isHeld = ([node, member]: [string, Pick<ListedMember, 'heartbeats' | 'held'>]) => {
    const evidence = member.heartbeats ? direct.get(node) : undefined
    const isHeard = evidence?.at === 'alive' || evidence?.at === 'suspect'
    return isHeard ? evidence.held === true : member.held
  }
  return new Set([...listed].filter(isHeld).map(([node]) => node))
}
