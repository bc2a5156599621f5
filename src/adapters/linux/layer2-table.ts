/** The main thread's picture of the table the worker has: finds what changed, and keeps a slot for each address. */
import { formatAddress } from '../../core/ip/index.ts'
import type { AnnouncedAddress } from '../../ports/index.ts'
import type { Claim } from '../../protocols/arp/index.ts'
import type { TableChange } from './layer2-messages.ts'

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
  readonly #claims = new Map<number, Claim>()
  /** Text of the addresses, by slot; the last one of a slot that is free. */
  readonly texts: string[] = []
  readonly #free: number[] = []

  /** Takes the rows over. @throws RangeError for more than MAX_ADDRESSES addresses */
  replace(rows: readonly AnnouncedAddress[]): Difference {
    const wanted = merge(rows)
    if (wanted.size > MAX_ADDRESSES) throw new RangeError(`more than ${MAX_ADDRESSES} addresses to announce`)
    const removed = [...this.#claims.keys()].filter(ip => !wanted.has(ip))
    const freed = removed.map(ip => this.#claims.get(ip)!.slot)
    for (const ip of removed) this.#claims.delete(ip)
    const set: number[] = []
    for (const [ip, interfaces] of wanted) {
      const before = this.#claims.get(ip)
      if (before !== undefined && sameSet(before.interfaces, interfaces)) continue
      this.#claims.set(ip, { interfaces, slot: before?.slot ?? this.#takeSlot(ip) })
      set.push(ip)
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

  #takeSlot(ip: number): number {
    const slot = this.#free.pop() ?? this.texts.length
    this.texts[slot] = formatAddress({ family: 'ipv4', value: BigInt(ip >>> 0) })
    return slot
  }

  /** At least one, so that there is something to confirm. */
  #parts(set: readonly number[], removed: readonly number[]): TableChange[] {
    const parts: TableChange[] = []
    for (let at = 0; at === 0 || at < Math.max(set.length, removed.length); at += PART)
      parts.push(this.#part(set.slice(at, at + PART), removed.slice(at, at + PART)))
    return parts
  }

  #part(set: readonly number[], removed: readonly number[]): TableChange {
    const claims = set.map(ip => this.#claims.get(ip)!)
    const places = new Map<string, number>()
    const sets: Claim['interfaces'][] = []
    const place = (interfaces: Claim['interfaces']) => {
      const key = interfaces === 'all' ? '' : JSON.stringify([...interfaces].sort())
      if (!places.has(key)) places.set(key, sets.push(interfaces) - 1)
      return places.get(key)!
    }
    return {
      set: Int32Array.from(set),
      slots: Uint32Array.from(claims, ({ slot }) => slot),
      setOf: Uint32Array.from(claims, ({ interfaces }) => place(interfaces)),
      sets,
      removed: Int32Array.from(removed),
    }
  }
}

/** The IPv4 rows; an address named twice is answered on the interfaces of both. */
function merge(rows: readonly AnnouncedAddress[]): Map<number, Claim['interfaces']> {
  const wanted = new Map<number, Claim['interfaces']>()
  for (const { address, interfaces } of rows) {
    if (address.family !== 'ipv4') continue
    const ip = Number(address.value) | 0
    const other = wanted.get(ip)
    wanted.set(ip, other === undefined ? interfaces : union(interfaces, other))
  }
  return wanted
}

function union(a: Claim['interfaces'], b: Claim['interfaces']): Claim['interfaces'] {
  return a === 'all' || b === 'all' ? 'all' : new Set([...a, ...b])
}

function sameSet(a: Claim['interfaces'], b: Claim['interfaces']): boolean {
  if (a === b) return true
  return a !== 'all' && b !== 'all' && a.size === b.size && [...a].every(name => b.has(name))
}
