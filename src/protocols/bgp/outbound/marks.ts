import type { Family } from '../../../core/ip/index.ts'
import { unicast } from '../family.ts'
import { BEGIN_OF_REFRESH, END_OF_REFRESH, endOfRibUpdate, type RouteRefresh, type Update } from '../message/index.ts'

/** What a peer is owed beside routes: where the first of them end (RFC 4724 section 2), and a refresh begins and ends. */
export class Marks {
  #complete = false
  readonly #endOfRib = new Set<Family>()
  readonly #begin = new Set<Family>()
  readonly #end = new Set<Family>()

  /** End-of-RIB may be said. */
  complete(): void {
    this.#complete = true
  }

  open(families: readonly Family[]): void {
    for (const family of families) this.#endOfRib.add(family)
  }

  close(): void {
    for (const owed of [this.#endOfRib, this.#begin, this.#end]) owed.clear()
  }

  /** While the first routes are still on their way none is sent: RFC 7313 section 4 forbids it before End-of-RIB. */
  refresh(family: Family): void {
    if (this.#endOfRib.has(family)) return
    this.#begin.add(family)
    this.#end.add(family)
  }

  /** What comes before routes. */
  opening(): RouteRefresh | undefined {
    const begin = takeFrom(this.#begin)
    return begin && mark(begin, BEGIN_OF_REFRESH)
  }

  /** What comes when there is nothing left to tell. */
  closing(): Update | RouteRefresh | undefined {
    const end = takeFrom(this.#end)
    if (end !== undefined) return mark(end, END_OF_REFRESH)
    const family = this.#complete ? takeFrom(this.#endOfRib) : undefined
    return family && endOfRibUpdate(family)
  }
}

function takeFrom(families: Set<Family>): Family | undefined {
  const [first] = families
  if (first !== undefined) families.delete(first)
  return first
}

function mark(family: Family, subtype: number): RouteRefresh {
  return { kind: 'route refresh', ...unicast(family), subtype }
}
