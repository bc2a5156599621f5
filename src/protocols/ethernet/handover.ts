/**
 * From one speaker to the next, address by address, on the segment itself (README, "Hand-over"). The successor asks the
 * one that leaves for each address; until that lets it go the successor keeps requests instead of answering them. Its
 * question is the cut: what came before it the one answers, what came after it the other.
 */
import type { Mac } from '../../core/ip/index.ts'

/** Where a node is on a segment: not found yet, or not there (any more). */
export type Whereabouts = Mac | 'seeking' | 'gone'

export type HandoverStep<K> =
  | { readonly kind: 'poll'; readonly link: number; readonly key: K; readonly to: Mac; readonly id: number }
  /** The address is this node's now; the requests are still to be answered. */
  | { readonly kind: 'begin'; readonly link: number; readonly key: K; readonly requests: readonly Uint8Array[] }

const POLL_MS = 20
/** So many polls without any answer mean that nobody answers there any more. */
const MISSES = 5
/** A node that is not found by then is not on the segment. */
const SEEK_MS = 100
/** Whoever leaves is not waited for longer. */
const LIMIT_MS = 1000
/** Requests kept for one address: clients that find none ask again after a second. */
const MOST_REQUESTS = 128

interface Pending {
  readonly node: string
  readonly startMs: number
  nextMs: number
  /** For each question, how many requests had come before it. */
  readonly cuts: number[]
  unanswered: number
  /** It let go with this question. */
  released: number | undefined
  requests: Uint8Array[]
  /** Requests that the node answered, no longer kept. */
  answered: number
}

/** The successor's side, on all interfaces. */
export class Handover<K> {
  readonly #find: (link: number, node: string) => Whereabouts
  readonly #pending = new Map<number, Map<K, Pending>>()

  constructor(find: (link: number, node: string) => Whereabouts) {
    this.#find = find
  }

  /** The node may still answer for the address. */
  await(link: number, key: K, node: string, nowMs: number): void {
    const pending = this.#pending.get(link) ?? new Map<K, Pending>()
    this.#pending.set(link, pending)
    if (pending.has(key)) return
    const state = { cuts: [], unanswered: 0, released: undefined, requests: [], answered: 0 }
    pending.set(key, { node, startMs: nowMs, nextMs: nowMs, ...state })
  }

  drop(link: number, key: K): void {
    this.#pending.get(link)?.delete(key)
  }

  forget(link: number): void {
    this.#pending.delete(link)
  }

  /** Whether the request is kept for now; the frame is copied. */
  keep(link: number, key: K, frame: Uint8Array): boolean {
    const pending = this.#pending.get(link)?.get(key)
    if (pending === undefined) return false
    if (pending.requests.length < MOST_REQUESTS) pending.requests.push(frame.slice())
    return true
  }

  /** The node answers for the address as ever: what was asked before the last question is answered. */
  stillAnswers(link: number, key: K, mac: Mac): void {
    const pending = this.#pending.get(link)?.get(key)
    if (pending === undefined || this.#find(link, pending.node) !== mac) return
    pending.unanswered = 0
    const later = since(pending, pending.cuts.length - 1)
    pending.answered += pending.requests.length - later.length
    pending.requests = later
  }

  /** The node let go when it read the question. */
  released(link: number, key: K, mac: Mac, id: number): void {
    const pending = this.#pending.get(link)?.get(key)
    if (pending === undefined || this.#find(link, pending.node) !== mac || pending.cuts[id] === undefined) return
    pending.released = id
    pending.nextMs = 0
  }

  /** Nothing is to be asked any more: what is kept is answered. */
  abandon(link: number, key: K): void {
    const pending = this.#pending.get(link)?.get(key)
    if (pending === undefined) return
    pending.released = -1
    pending.nextMs = 0
  }

  get isPending(): boolean {
    for (const addresses of this.#pending.values()) if (addresses.size > 0) return true
    return false
  }

  /** At most `limit` of what is due. */
  take(nowMs: number, limit: number): HandoverStep<K>[] {
    const steps: HandoverStep<K>[] = []
    for (const [link, addresses] of this.#pending)
      for (const [key, pending] of addresses) {
        if (steps.length >= limit) return steps
        if (pending.nextMs > nowMs) continue
        const step = this.#next(link, key, pending, nowMs)
        if (step?.kind === 'begin') addresses.delete(key)
        if (step !== undefined) steps.push(step)
      }
    return steps
  }

  nextAt(): number | undefined {
    let next: number | undefined
    for (const addresses of this.#pending.values())
      for (const { nextMs } of addresses.values()) next = Math.min(next ?? Infinity, nextMs)
    return next
  }

  #next(link: number, key: K, pending: Pending, nowMs: number): HandoverStep<K> | undefined {
    const { node, startMs, released, unanswered } = pending
    if (released !== undefined) return { kind: 'begin', link, key, requests: since(pending, released) }
    const to = this.#find(link, node)
    const over = nowMs - startMs >= (to === 'seeking' ? SEEK_MS : LIMIT_MS)
    if (over || to === 'gone' || unanswered >= MISSES) return { kind: 'begin', link, key, requests: pending.requests }
    pending.nextMs = nowMs + (to === 'seeking' ? 1 : POLL_MS)
    if (to === 'seeking') return undefined
    pending.unanswered++
    return { kind: 'poll', link, key, to, id: pending.cuts.push(pending.answered + pending.requests.length) - 1 }
  }
}

/** Those that came after the question, all where there was none. */
function since({ requests, cuts, answered }: Pending, id: number): Uint8Array[] {
  return requests.slice(Math.max(0, (cuts[id] ?? 0) - answered))
}

/** The side of the one that leaves: which addresses were let go on which interface, and with which question. */
export class Departure<K> {
  readonly #released = new Map<number, Map<K, number>>()

  has(link: number, key: K): boolean {
    return this.#released.get(link)?.has(key) ?? false
  }

  /** Answers the question it was let go with: where an answer was lost the successor asks again. */
  release(link: number, key: K, id: number): number {
    const released = this.#released.get(link) ?? new Map<K, number>()
    this.#released.set(link, released)
    if (!released.has(key)) released.set(key, id)
    return released.get(key)!
  }

  /** Whether each of the addresses was let go somewhere: not every interface leads to a successor. */
  isOver(keys: Iterable<K>): boolean {
    const all = new Set([...this.#released.values()].flatMap(released => [...released.keys()]))
    return [...keys].every(key => all.has(key))
  }
}
