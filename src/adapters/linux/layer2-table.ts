/** The main thread's picture of the table the worker has: finds what changed, and keeps a slot for each address. */
import { type Address, formatAddress } from '../../core/ip/index.ts'
import type { AnnouncedAddress, Predecessor } from '../../ports/index.ts'
import type { Claim } from '../../protocols/ethernet/index.ts'
import { isIPv4, type Key, type TableChange } from './layer2-messages.ts'

/** The counters of all slots lie in one piece of memory; pages never used cost nothing. */
export const MAX_ADDRESSES = 1 << 20

/** One message changes no more than this, so that the worker answers requests between two. */
const PART = 500

export interface Difference {
  readonly parts: readonly TableChange[]
  /** To be released once the worker has confirmed: until then it counts on them. */
  readonly freed: readonly number[]
}

export class Layer2Table {
  readonly #claims = new Map<Key, Claim>()
  /** Text of the addresses, by slot; the last one of a slot that is free. */
  readonly texts: string[] = []
  readonly #free: number[] = []
  #predecessors: TableChange['predecessors'] = []

  /** Takes the rows over. @throws RangeError for more than MAX_ADDRESSES addresses */
  replace(rows: readonly AnnouncedAddress[], predecessors: readonly Predecessor[] = []): Difference {
    const wanted = merge(rows)
    if (wanted.size > MAX_ADDRESSES) throw new RangeError(`more than ${MAX_ADDRESSES} addresses to announce`)
    this.#predecessors = predecessors.map(({ node, addresses }) => [node, addresses.map(keyOf)])
    const removed = [...this.#claims.keys()].filter(key => !wanted.has(key))
    const freed = removed.map(key => this.#claims.get(key)!.slot)
    for (const key of removed) this.#claims.delete(key)
    const set: Key[] = []
    for (const [key, wish] of wanted) {
      const before = this.#claims.get(key)
      if (before !== undefined && sameWish(before, wish)) continue
      this.#claims.set(key, { ...wish, slot: before?.slot ?? this.#takeSlot(key) })
      set.push(key)
    }
    return { parts: this.#parts(set, removed), freed }
  }

  /** For a worker that knows nothing. */
  everything(): readonly TableChange[] {
    return this.#parts([...this.#claims.keys()], [])
  }

  release(slots: readonly number[]): void {
    this.#free.push(...slots)
  }

  #takeSlot(key: Key): number {
    const slot = this.#free.pop() ?? this.texts.length
    this.texts[slot] = formatAddress(addressOf(key))
    return slot
  }

  /** At least one, so that there is something to confirm. */
  #parts(set: readonly Key[], removed: readonly Key[]): TableChange[] {
    const parts: TableChange[] = []
    for (let at = 0; at === 0 || at < Math.max(set.length, removed.length); at += PART)
      parts.push(this.#part(set.slice(at, at + PART), removed.slice(at, at + PART)))
    return parts
  }

  #part(set: readonly Key[], removed: readonly Key[]): TableChange {
    const claims = set.map(key => this.#claims.get(key)!)
    const sets = new Places<Claim['interfaces']>(interfaces =>
      interfaces === 'all' ? '' : JSON.stringify([...interfaces].sort()),
    )
    const afters = new Places<readonly string[]>(nodes => nodes.join()) // their order counts
    return {
      set,
      slots: claims.map(({ slot }) => slot),
      setOf: claims.map(({ interfaces }) => sets.of(interfaces)),
      sets: sets.all,
      afterOf: claims.map(({ after = [] }) => afters.of(after)),
      afters: afters.all,
      removed,
      predecessors: this.#predecessors,
    }
  }
}

/** Equal values in one place each. */
class Places<T> {
  readonly all: T[] = []
  readonly #places = new Map<string, number>()
  readonly #nameOf: (value: T) => string

  constructor(nameOf: (value: T) => string) {
    this.#nameOf = nameOf
  }

  of(value: T): number {
    const name = this.#nameOf(value)
    if (!this.#places.has(name)) this.#places.set(name, this.all.push(value) - 1)
    return this.#places.get(name)!
  }
}

type Wish = Omit<Claim, 'slot'>

/** An address named twice is answered on the interfaces of both, and quiet where both are. */
function merge(rows: readonly AnnouncedAddress[]): Map<Key, Wish> {
  const wanted = new Map<Key, Wish>()
  for (const { address, interfaces, after = [] } of rows) {
    const key = keyOf(address)
    const other = wanted.get(key)
    wanted.set(
      key,
      other === undefined
        ? { interfaces, after }
        : { interfaces: union(interfaces, other.interfaces), after: after.filter(node => other.after?.includes(node)) },
    )
  }
  return wanted
}

export function keyOf({ family, value }: Address): Key {
  return family === 'ipv4' ? Number(value) | 0 : value
}

function addressOf(key: Key): Address {
  return isIPv4(key) ? { family: 'ipv4', value: BigInt(key >>> 0) } : { family: 'ipv6', value: key }
}

function union(a: Claim['interfaces'], b: Claim['interfaces']): Claim['interfaces'] {
  return a === 'all' || b === 'all' ? 'all' : new Set([...a, ...b])
}

function sameWish(a: Wish, b: Wish): boolean {
  return sameSet(a.interfaces, b.interfaces) && (a.after ?? []).join() === (b.after ?? []).join()
}

function sameSet(a: Claim['interfaces'], b: Claim['interfaces']): boolean {
  if (a === b) return true
  return a !== 'all' && b !== 'all' && a.size === b.size && [...a].every(name => b.has(name))
}
