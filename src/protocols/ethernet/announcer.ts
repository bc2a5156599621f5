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

export class Announcer<K> {
  readonly #pairs = new Map<number, Map<K, Pair<K>>>()
  readonly #rounds: Queue<K>[] = ROUNDS_MS.map(() => new Queue())
  readonly #refresh = new Queue<K>()
  readonly #refreshMs: number
  readonly #random: Random
  #refreshAt: number | undefined
  /** What `nextAt` answers, while nothing changes: it is asked once a packet. */
  #next: number | undefined
  #isNextKnown = true

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
    this.#isNextKnown = false
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
    this.#isNextKnown = false
  }

  /** The next pair to announce now, undefined where none is due. */
  take(nowMs: number): { link: number; key: K } | undefined {
    const next = this.nextAt()
    if (next === undefined || next > nowMs) return undefined
    this.#isNextKnown = false
    for (const [round, queue] of this.#rounds.entries()) {
      const pair = queue.first
      if (pair === undefined || pair.startMs + ROUNDS_MS[round]! > nowMs) continue
      queue.shift()
      if (round + 1 < ROUNDS_MS.length) this.#enqueue(round + 1, pair)
      return pair
    }
    if (this.#refreshAt !== undefined && this.#refreshAt <= nowMs) this.#startRefresh(nowMs)
    const pair = this.#refresh.first
    this.#refresh.shift()
    return pair
  }

  /** When to ask again, on the clock of the other calls; undefined where nothing will be due. */
  nextAt(): number | undefined {
    if (!this.#isNextKnown) this.#next = this.#soonest()
    this.#isNextKnown = true
    return this.#next
  }

  #soonest(): number | undefined {
    let next = this.#refresh.first === undefined ? this.#refreshAt : 0
    for (const [round, queue] of this.#rounds.entries()) {
      const pair = queue.first
      if (pair === undefined) continue
      next = Math.min(next ?? Infinity, pair.startMs + ROUNDS_MS[round]!)
    }
    return next
  }

  #enqueue(round: number, pair: Pair<K>): void {
    this.#rounds[round]!.push(pair)
    this.#isNextKnown = false
  }

  #startRefresh(nowMs: number): void {
    for (const pairs of this.#pairs.values()) for (const pair of pairs.values()) this.#refresh.push(pair)
    this.#refreshAt = this.#nextRefresh(nowMs)
  }

  /** Spread by a tenth, so that the speakers of a cluster do not stay in step. */
  #nextRefresh(nowMs: number): number | undefined {
    return this.#refreshMs > 0 ? nowMs + this.#refreshMs * (0.9 + 0.2 * this.#random.next()) : undefined
  }
}

/**
 * Pairs in order of time. An object for each entry would live as long as it waits: with 10,000 addresses the collector would
 * walk a heap twice as large, and requests would wait for it.
 */
class Queue<K> {
  readonly #pairs: Pair<K>[] = []
  /** Of each pair when it was queued. */
  readonly #generations: number[] = []
  #head = 0

  /** The first that still counts; those before it are dropped. */
  get first(): Pair<K> | undefined {
    for (;;) {
      const pair = this.#pairs[this.#head]
      if (pair === undefined || pair.generation === this.#generations[this.#head]) return pair
      this.shift()
    }
  }

  push(pair: Pair<K>): void {
    this.#pairs.push(pair)
    this.#generations.push(pair.generation)
  }

  shift(): void {
    if (this.#head < this.#pairs.length) this.#head++
    if (2 * this.#head < this.#pairs.length) return
    this.#pairs.splice(0, this.#head)
    this.#generations.splice(0, this.#head)
    this.#head = 0
  }
}
