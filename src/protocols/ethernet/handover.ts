/**
 * From one speaker to the next, address by address, on the segment itself (README, "Hand-over"). The successor asks the
 * one that leaves for each address; until that lets it go the successor keeps requests instead of answering them. Its
 * question is the cut: what came before it the one answers, what came after it the other. A request may cross the question
 * on the wire; the one that leaves therefore says which was the last that it answered.
 */
import type { Mac } from '../../core/ip/index.ts'
import type { Question, Release } from './voice.ts'

/** Where a node is on a segment: not found yet, or not there (any more). */
export type Whereabouts = Mac | 'seeking' | 'gone'

export type HandoverStep<K> =
  | ({ readonly kind: 'poll'; readonly link: number; readonly key: K; readonly to: Mac } & Question)
  /** The address is this node's now; the requests are still to be answered. */
  | { readonly kind: 'begin'; readonly link: number; readonly key: K; readonly requests: readonly Uint8Array[] }

const POLL_MS = 20
/** So many polls without any answer mean that nobody answers there any more. */
const MISSES = 5
/** A node that is not found by then is not on the segment. */
const SEEK_MS = 100
/** Whoever leaves is not waited for longer. */
const LIMIT_MS = 1000
/** Requests kept for one address, the latest: who finds no answer asks again after a second. */
const MOST_REQUESTS = 128

interface Request {
  readonly frame: Uint8Array
  readonly fingerprint: number
}

interface Pending {
  readonly node: string
  readonly startMs: number
  nextMs: number
  /** For each question, how many requests had come before it. */
  readonly cuts: number[]
  unanswered: number
  /** It let go: what is kept now is this node's to answer, and what still comes. */
  isReleased: boolean
  requests: Request[]
  /** Requests no longer kept: most were answered by the node. */
  dropped: number
}

/** The successor's side, on all interfaces. */
export class Handover<K> {
  readonly #find: (link: number, node: string) => Whereabouts
  readonly #settleMs: number
  readonly #pending = new Map<number, Map<K, Pending>>()

  /** No address is taken in the first `settleMs` after it is claimed: until then requests may not reach this node. */
  constructor(find: (link: number, node: string) => Whereabouts, settleMs = 0) {
    this.#find = find
    this.#settleMs = settleMs
  }

  /** The node may still answer for the address. */
  await(link: number, key: K, node: string, nowMs: number): void {
    const pending = this.#pending.get(link) ?? new Map<K, Pending>()
    this.#pending.set(link, pending)
    if (pending.has(key)) return
    const state = { cuts: [], unanswered: 0, isReleased: false, requests: [], dropped: 0 }
    pending.set(key, { node, startMs: nowMs, nextMs: nowMs, ...state })
  }

  drop(link: number, key: K): void {
    const pending = this.#pending.get(link)
    pending?.delete(key)
    if (pending?.size === 0) this.#pending.delete(link)
  }

  forget(link: number): void {
    this.#pending.delete(link)
  }

  /** Whether the request is kept for now; the frame is copied. */
  keep(link: number, key: K, frame: Uint8Array, fingerprint: number): boolean {
    const pending = this.#pending.get(link)?.get(key)
    if (pending === undefined) return false
    pending.requests.push({ frame: Uint8Array.from(frame), fingerprint })
    if (pending.requests.length > MOST_REQUESTS) {
      pending.requests.shift()
      pending.dropped++
    }
    return true
  }

  /** The node answers for the address as ever: what was asked before the last question is answered. */
  stillAnswers(link: number, key: K, mac: Mac): void {
    const pending = this.#pending.get(link)?.get(key)
    if (pending === undefined || this.#find(link, pending.node) !== mac) return
    pending.unanswered = 0
    const later = since(pending, pending.cuts.length - 1)
    pending.dropped += pending.requests.length - later.length
    pending.requests = later
  }

  /** The node let go when it read the question. */
  released(link: number, key: K, mac: Mac, release: Release): void {
    const pending = this.#pending.get(link)?.get(key)
    if (pending === undefined || pending.isReleased || pending.cuts[release.id] === undefined) return
    if (this.#find(link, pending.node) !== mac) return
    pending.requests = unanswered(pending, release)
    pending.isReleased = true
    pending.nextMs = 0
  }

  /** Nothing is to be asked any more: what is kept is answered. */
  abandon(link: number, key: K): void {
    const pending = this.#pending.get(link)?.get(key)
    if (pending === undefined) return
    pending.isReleased = true
    pending.nextMs = 0
  }

  get isPending(): boolean {
    return this.#pending.size > 0
  }

  /** At most `limit` of what is due. */
  take(nowMs: number, limit: number): HandoverStep<K>[] {
    const steps: HandoverStep<K>[] = []
    for (const [link, addresses] of this.#pending)
      for (const [key, pending] of addresses) {
        if (steps.length >= limit) return steps
        if (pending.nextMs > nowMs) continue
        const step = this.#next(link, key, pending, nowMs)
        if (step?.kind === 'begin') this.drop(link, key)
        if (step !== undefined) steps.push(step)
      }
    return steps
  }

  nextAt(): number | undefined {
    if (!this.isPending) return undefined
    let next: number | undefined
    for (const addresses of this.#pending.values())
      for (const { nextMs } of addresses.values()) next = Math.min(next ?? Infinity, nextMs)
    return next
  }

  #next(link: number, key: K, pending: Pending, nowMs: number): HandoverStep<K> | undefined {
    const { node, startMs, isReleased } = pending
    const to = this.#find(link, node)
    const over = nowMs - startMs >= (to === 'seeking' ? SEEK_MS : LIMIT_MS)
    if (isReleased || over || to === 'gone' || pending.unanswered >= MISSES)
      return { kind: 'begin', link, key, requests: pending.requests.map(({ frame }) => frame) }
    pending.nextMs = nowMs + (to === 'seeking' ? 1 : POLL_MS)
    if (to === 'seeking') return undefined
    pending.unanswered++
    const isEarly = nowMs - startMs < this.#settleMs
    return {
      kind: 'poll',
      link,
      key,
      to,
      isEarly,
      id: pending.cuts.push(pending.dropped + pending.requests.length) - 1,
    }
  }
}

/** Those that came after the question, all where there was none. */
function since(pending: Pending, id: number): Request[] {
  return pending.requests.slice(placeOf(pending, id))
}

function placeOf({ cuts, dropped }: Pending, id: number): number {
  return Math.max(0, (cuts[id] ?? 0) - dropped)
}

/**
 * Those behind the last one that was answered. Who asked more than once is looked for next to the cut; where that last
 * one is not among them, it was before them all.
 */
function unanswered(pending: Pending, { id, last }: Release): Request[] {
  const cut = placeOf(pending, id)
  const places = [...pending.requests.keys()].filter(place => pending.requests[place]!.fingerprint === last)
  const distance = (place: number) => Math.abs(place + 1 - cut)
  const nearest = places.sort((a, b) => distance(a) - distance(b))[0]
  return pending.requests.slice(nearest === undefined ? 0 : nearest + 1)
}
