import { sha256 } from '../../adapters/system/hash.ts'
import { minorityOf } from '../../control/membership/index.ts'
import { placeBalanced, placementLimits } from '../../core/election/index.ts'
import type { Judge } from './judge.ts'
import type { Audience, Ownership } from './ownership.ts'
import type { Truth } from './truth.ts'

export interface ExpectationOptions {
  readonly names: readonly string[]
  readonly truth: Truth
  readonly ownership: Ownership
  readonly judge: Judge
  readonly majority: boolean
  readonly balanced: boolean
  /** On whom the speaker there counts, in name order. */
  readonly membersOf: (node: string) => readonly string[]
}

/** How everything should be when nothing moves any more. */
export class Expectation {
  /** Cuts, so that clients on several sides may be asked. */
  sides: readonly (readonly string[])[] = []
  readonly #options: ExpectationOptions

  constructor(options: ExpectationOptions) {
    this.#options = options
  }

  /** What is not as it should be; undefined where all is well. */
  wrong(): string | undefined {
    return this.wrongOwner() ?? this.#wrongView()
  }

  /** An address that another node answers for than should, or nobody, or several. */
  wrongOwner(): string | undefined {
    const { ownership } = this.#options
    for (const [side, live] of this.#liveSides().entries()) {
      const winners = this.#winners(live)
      for (const address of ownership.addresses) {
        const winner = winners(address)
        const owners = ownership.owners(address, side)
        if (owners.join() !== (winner ?? '')) return `${address} is answered by [${owners}] and not by ${winner}`
      }
    }
    return undefined
  }

  /** Who is asked on which side, and whether anybody there should answer. */
  audiences(): Audience[] {
    const { truth } = this.#options
    const live = this.sides.map(side => ({ side, works: side.filter(node => truth.running.has(node)) }))
    const audible = live.filter(({ works }) => works.length > 0)
    return audible.map(({ side, works }) => ({ nodes: side, needsOwner: this.#mayAnnounce(works) }))
  }

  /** How many work on the side where fewest do; sides where nobody does do not count. */
  fewest(works: (node: string) => boolean): number {
    const { names } = this.#options
    const sides = this.sides.length === 0 ? [names] : this.sides
    const counts = sides.map(side => side.filter(works).length)
    return Math.min(...counts.filter(count => count > 0), names.length)
  }

  /** The most addresses that one node has, of those that placement allows it. */
  overloaded(): string | undefined {
    const items = this.#items(this.#options.truth.able)
    const limits = placementLimits(items)
    for (const node of this.#options.names) {
      const has = this.#options.ownership.heldBy(node).length
      if (has > (limits.get(node) ?? 0)) return `${node} has ${has} addresses, and may have ${limits.get(node) ?? 0}`
    }
    return undefined
  }

  #winners(live: readonly string[]): (address: string) => string | undefined {
    const { truth, judge, balanced } = this.#options
    if (!this.#mayAnnounce(live)) return () => undefined
    const able = live.filter(node => truth.isAble(node))
    if (!balanced) return address => judge.winner(address, able)
    const owners = placeBalanced(this.#items(able), sha256)
    return address => owners.get(address)
  }

  #items(candidates: readonly string[]) {
    return this.#options.ownership.addresses.map(key => ({ key, candidates }))
  }

  /** A speaker that counts on others than those who work on its side. */
  #wrongView(): string | undefined {
    for (const live of this.#liveSides())
      for (const node of live) {
        const members = this.#options.membersOf(node)
        if (members.join() !== live.join()) return `${node} counts on [${members}] and not on [${live}]`
      }
    return undefined
  }

  /** Announcing nodes by side, sides without any left out. */
  #liveSides(): string[][] {
    const live = this.#options.truth.announcing
    const sides = this.sides.length === 0 ? [this.#options.names] : this.sides
    return sides.map(side => live.filter(node => side.includes(node))).filter(({ length }) => length > 0)
  }

  #mayAnnounce(side: readonly string[]): boolean {
    const { majority, names } = this.#options
    return !majority || minorityOf(names, new Set(side)) === undefined
  }
}
