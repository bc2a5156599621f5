import { sha256 } from '../../adapters/system/hash.ts'
import { electionOrder } from '../../core/election/index.ts'
import { parseAddress } from '../../core/ip/index.ts'
import type { Change, Ownership, Spell } from './ownership.ts'
import { pairOf, type Truth } from './truth.ts'

export interface JudgeOptions {
  readonly nodes: readonly string[]
  readonly truth: Truth
  readonly ownership: Ownership
  /** How long somebody may be without knowing what happened. */
  readonly knownWithinMs: () => number
  /** The majority rule is on: whoever is cut off from others may stop for nobody. */
  readonly majority: boolean
  /** Placement decides instead of the election: nobody is before another. */
  readonly balanced: boolean
  /** After a crash. */
  readonly takeoverMs: () => number
  /** After anything, until a single one answers. */
  readonly singleMs: () => number
  readonly now: () => number
}

/**
 * The invariants, checked at every change of an owner and whenever a time without one is over:
 *
 * - no takeover without evidence: whoever gains an address knows that each node before it in the election is in trouble;
 * - nobody gives an address up but for a node before it, or because it stops;
 * - nobody answers: never without a crash, a freeze or a cut, and then no longer than the bound;
 * - several answer: no longer than two seconds after the last thing that happened.
 */
export class Judge {
  readonly violations: string[] = []
  /** The longest time without an answer, and with more than one, since the thing that caused it. */
  readonly longest = { nobody: 0, several: 0 }
  readonly #options: JudgeOptions
  readonly #orders = new Map<string, readonly string[]>()

  constructor(options: JudgeOptions) {
    this.#options = options
    const { ownership } = options
    ownership.onChange = change => (change.gains ? this.#gains(change) : this.#loses(change))
    ownership.onSpell = spell => this.#spell(spell)
  }

  /** The node that should answer, of those given. */
  winner(address: string, among: readonly string[]): string | undefined {
    return this.#orderOf(address).find(node => among.includes(node))
  }

  #orderOf(text: string): readonly string[] {
    const known = this.#orders.get(text)
    if (known !== undefined) return known
    const { nodes } = this.#options
    const election = { candidates: new Set(nodes), address: parseAddress(text)!, scores: new Map<string, number>() }
    const order = electionOrder(election, sha256)
    this.#orders.set(text, order)
    return order
  }

  /** Looks at the times without an owner, or with several, that are not over; finds one that is too long once. */
  review(): void {
    if (this.violations.length > 0) return
    for (const spell of this.#options.ownership.spells) this.#spell(spell)
  }

  #spell(spell: Spell): void {
    if (spell.kind === 'nobody') this.#nobody(spell)
    else this.#several(spell)
  }

  #before(node: string, address: string): readonly string[] {
    const order = this.#orderOf(address)
    return order.slice(0, order.indexOf(node))
  }

  #gains({ node, address }: Change): void {
    if (this.#options.balanced) return
    const wronged = this.#before(node, address).filter(other => !this.#isExcused(other, node))
    if (wronged.length > 0) this.#violated(`${node} took ${address} over from ${wronged}, which work and are reached`)
  }

  #loses({ node, address }: Change): void {
    const { truth, knownWithinMs, balanced } = this.#options
    if (balanced || !truth.isAble(node)) return
    if (truth.life(node) === 'leaving' || truth.life(node) === 'down') return
    if (this.#options.majority && truth.cuts(node, knownWithinMs()) > 0) return
    const lives = (other: string) => truth.wasRunning(other, knownWithinMs())
    if (!this.#before(node, address).some(lives)) this.#violated(`${node} gave ${address} up for nobody`)
  }

  /** Whether there is, or was a moment ago, a reason for `seer` not to count on the node. */
  #isExcused(node: string, seer: string): boolean {
    const { truth, knownWithinMs } = this.#options
    const within = knownWithinMs()
    if (truth.isTroubled(node, within)) return true
    // One broken path is no death, unless there is nobody else to ask.
    const enough = truth.running.size > 2 ? 2 : 1
    const cut = truth.cuts(node, within) >= enough || truth.cuts(seer, within) >= enough
    return cut && (enough === 2 || truth.isTroubled(pairOf(node, seer), within))
  }

  #nobody({ address, fromMs, toMs }: Spell): void {
    const { truth, now, takeoverMs, knownWithinMs } = this.#options
    if (fromMs - truth.lastHardMs > knownWithinMs())
      this.#violated(`nobody answered for ${address} from ${at(fromMs)} on, and nothing was broken`)
    const lasted = (toMs ?? now()) - Math.max(fromMs, truth.lastHardMs)
    this.longest.nobody = Math.max(this.longest.nobody, lasted)
    if (lasted > takeoverMs()) this.#violated(`nobody answered for ${address} for ${Math.round(lasted)} ms`)
  }

  #several({ address, fromMs, toMs }: Spell): void {
    const { truth, now, singleMs, ownership } = this.#options
    const lasted = (toMs ?? now()) - Math.max(fromMs, truth.lastChangeMs)
    this.longest.several = Math.max(this.longest.several, lasted)
    const who = toMs === undefined ? ` (${ownership.owners(address)})` : ''
    if (lasted > singleMs()) this.#violated(`several answered for ${address} for ${Math.round(lasted)} ms${who}`)
  }

  #violated(what: string): void {
    this.violations.push(`at ${at(this.#options.now())}: ${what}`)
  }
}

export const at = (ms: number) => `${(ms / 1000).toFixed(3)} s`
