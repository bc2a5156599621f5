/**
 * The side of the one that is asked for its addresses (README, "Hand-over"). It lets one go where it leaves altogether, or
 * where it gave the address up while somebody asked for it: then it answers until the next question, so that there is no
 * moment without an answer.
 */
import type { Release } from './voice.ts'

/** Who asked for an address and has not again for so long has gone away: questions come every 20 ms. */
const ASKS_MS = 100

/** By interface. */
type Links<V> = Map<number, V>

export class Departure<K> {
  /** The last requester that was answered. */
  readonly #answered = new Map<K, Links<number>>()
  readonly #released = new Map<K, Links<Release>>()
  /** When the last question for an address was read; undefined until the time is told. */
  readonly #asked = new Map<K, Links<number | undefined>>()
  /** Given up, and answered on these interfaces until the next question. */
  readonly #yielding = new Map<K, Set<number>>()
  isLeaving = false

  has(link: number, key: K): boolean {
    return this.#released.get(key)?.has(link) ?? false
  }

  /** Whether the address may be let go soon: then it matters who is answered. */
  mayLetGo(link: number, key: K): boolean {
    return this.isLeaving || (this.#asked.get(key)?.has(link) ?? false)
  }

  answers(link: number, key: K, fingerprint: number): void {
    linksOf(this.#answered, key).set(link, fingerprint)
  }

  /** A question was read. */
  asks(link: number, key: K): void {
    linksOf(this.#asked, key).set(link, undefined)
  }

  /** Whether whoever asks gets it. */
  letsGo(link: number, key: K): boolean {
    return this.isLeaving || (this.#yielding.get(key)?.has(link) ?? false)
  }

  /** Answers the same each time: where it was lost the successor asks again. */
  release(link: number, key: K, id: number): Release {
    const released = linksOf(this.#released, key)
    const release = released.get(link) ?? { id, last: this.#answered.get(key)?.get(link) ?? 0 }
    released.set(link, release)
    return release
  }

  /** Whether each of the addresses was let go somewhere: not every interface leads to a successor. */
  isOver(keys: Iterable<K>): boolean {
    return [...keys].every(key => this.#released.has(key))
  }

  /** The address is not this node's any more. On which interfaces it is to be answered all the same, for now. */
  yield(key: K): ReadonlySet<number> {
    const links = new Set(this.isLeaving ? [] : this.#asked.get(key)?.keys())
    if (links.size > 0) this.#yielding.set(key, links)
    return links
  }

  /** The address is this node's again. */
  regain(key: K): void {
    for (const map of [this.#answered, this.#released, this.#asked, this.#yielding]) map.delete(key)
  }

  /** Whether addresses are asked for, or answered although they were given up. */
  get isAsked(): boolean {
    return this.#asked.size > 0 || this.#yielding.size > 0
  }

  /** Which of the addresses that were given up nobody asks for any more: whoever did has them, or went away. */
  over(nowMs: number): K[] {
    for (const [key, links] of this.#asked) {
      for (const [link, atMs = nowMs] of links)
        if (nowMs - atMs < ASKS_MS) links.set(link, atMs)
        else this.#forget(link, key)
      if (links.size === 0) this.#asked.delete(key)
    }
    const over = [...this.#yielding.keys()].filter(key => !this.#asked.has(key))
    for (const key of over) for (const map of [this.#yielding, this.#released]) map.delete(key)
    return over
  }

  #forget(link: number, key: K): void {
    this.#asked.get(key)?.delete(link)
    this.#answered.get(key)?.delete(link)
  }
}

function linksOf<K, V>(maps: Map<K, Links<V>>, key: K): Links<V> {
  const links = maps.get(key) ?? new Map<number, V>()
  maps.set(key, links)
  return links
}
