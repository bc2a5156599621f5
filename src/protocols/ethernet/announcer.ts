/**
 * When to speak up unasked (chapter 03 section 2.6). A pair of interface and address is announced in rounds from the
 * moment it becomes wanted; whoever owns the loop asks what is due. All pairs follow the same offsets, so each round is
 * a queue in order of time and nothing is ever sorted.
 */
import type { Random } from '../../ports/index.ts'

/**
 * Milliseconds after the start. The reference sends at 0, 1.1, … 4.4 s; three more early ones survive a lost first one. That
 * one is easily lost where the interface just came up: the kernel tells of the carrier before the bridge at its other end
 * lets the port forward, by 0.2 to 0.6 ms here, so the second round comes early enough for 100 ms altogether.
 */
export const ROUNDS_MS = [0, 50, 150, 500, 1100, 2200, 3300, 4400] as const

interface Pair<K> {
  readonly link: number
  readonly key: K
  startMs: number
  /** Moves on when the pair starts again or goes, so that what is still queued for it is recognised as old. */
  generation: number
}

interface Due<K> {
  readonly pair: Pair<K>
  readonly generation: number
}

export class Announcer<K> {
  readonly #pairs = new Map<number, Map<K, Pair<K>>>()
  readonly #rounds: Queue<Due<K>>[] = ROUNDS_MS.map(() => new Queue())
  readonly #refresh = new Queue<Due<K>>()
  readonly #refreshMs: number
  readonly #random: Random
  #refreshAt: number | undefined

  /** With `refreshMs` above 0 every pair is also announced once in about that time (IMP-14). */
  constructor(refreshMs: number, random: Random) {
    this.#refreshMs = refreshMs
    this.#random = random
  }

  /** A pair that is new starts; one that is known goes on. */
  want(link: number, key: K, nowMs: number): void {
    const pairs = this.#pairs.get(link) ?? new Map<K, Pair<K>>()
    this.#pairs.set(link, pairs)
    if (pairs.has(key)) return
    const pair = { link, key, startMs: nowMs, generation: 0 }
    pairs.set(key, pair)
    this.#enqueue(0, pair)
    this.#refreshAt ??= this.#nextRefresh(nowMs)
  }

  /** The pair falls silent at once. */
  drop(link: number, key: K): void {
    const pairs = this.#pairs.get(link)
    const pair = pairs?.get(key)
    if (pair === undefined) return
    pair.generation++
    pairs!.delete(key)
  }

  /** Every pair of the interface, or that of one address, starts again: e.g. its MAC changed, or it has carrier again. */
  restart(link: number, nowMs: number, key?: K): void {
    for (const pair of this.#pairs.get(link)?.values() ?? []) {
      if (key !== undefined && pair.key !== key) continue
      pair.generation++
      pair.startMs = nowMs
      this.#enqueue(0, pair)
    }
  }

  /** The interface is gone. */
  forget(link: number): void {
    for (const pair of this.#pairs.get(link)?.values() ?? []) pair.generation++
    this.#pairs.delete(link)
  }

  /** The next pair to announce now, undefined where none is due. */
  take(nowMs: number): { link: number; key: K } | undefined {
    for (const [round, queue] of this.#rounds.entries()) {
      const due = this.#live(queue)
      if (due === undefined || due.pair.startMs + ROUNDS_MS[round]! > nowMs) continue
      queue.shift()
      if (round + 1 < ROUNDS_MS.length) this.#enqueue(round + 1, due.pair)
      return due.pair
    }
    if (this.#refreshAt !== undefined && this.#refreshAt <= nowMs) this.#startRefresh(nowMs)
    const due = this.#live(this.#refresh)
    this.#refresh.shift()
    return due?.pair
  }

  /** When to ask again, on the clock of the other calls; undefined where nothing will be due. */
  nextAt(): number | undefined {
    let next = this.#live(this.#refresh) === undefined ? this.#refreshAt : 0
    for (const [round, queue] of this.#rounds.entries()) {
      const due = this.#live(queue)
      if (due === undefined) continue
      next = Math.min(next ?? Infinity, due.pair.startMs + ROUNDS_MS[round]!)
    }
    return next
  }

  #enqueue(round: number, pair: Pair<K>): void {
    this.#rounds[round]!.push({ pair, generation: pair.generation })
  }

  /** The first entry that still counts; those before it are dropped. */
  #live(queue: Queue<Due<K>>): Due<K> | undefined {
    for (;;) {
      const due = queue.first
      if (due === undefined || due.generation === due.pair.generation) return due
      queue.shift()
    }
  }

  #startRefresh(nowMs: number): void {
    for (const pairs of this.#pairs.values())
      for (const pair of pairs.values()) this.#refresh.push({ pair, generation: pair.generation })
    this.#refreshAt = this.#nextRefresh(nowMs)
  }

  /** Spread by a tenth, so that the speakers of a cluster do not stay in step. */
  #nextRefresh(nowMs: number): number | undefined {
    return this.#refreshMs > 0 ? nowMs + this.#refreshMs * (0.9 + 0.2 * this.#random.next()) : undefined
  }
}

class Queue<T> {
  #items: T[] = []
  #head = 0

  get first(): T | undefined {
    return this.#items[this.#head]
  }

  push(item: T): void {
    this.#items.push(item)
  }

  shift(): void {
    if (this.#head < this.#items.length) this.#head++
    if (this.#head < 1024 && this.#head < this.#items.length) return
    this.#items = this.#items.slice(this.#head)
    this.#head = 0
  }
}
