/**
 * How many answers one host gets in a second (IMP-13): enough for a router that restarts and asks for some 10,000 addresses
 * again and again, a quarter of what a core can answer. Hosts are told apart by the frame's source, in a table that never
 * grows: two of them may share a place, and then one quota.
 */
export const REPLIES_PER_SECOND = 50_000

/** A power of two. */
const PLACES = 4096
const WINDOW_MS = 1000
const SOURCE = 6

export class ReplyQuota {
  readonly #given = new Uint32Array(PLACES)
  #endsAt = -Infinity

  /** Once a packet or more; a new second forgets what was given. Monotonic milliseconds. */
  setTime(nowMs: number): void {
    if (nowMs < this.#endsAt) return
    this.#endsAt = nowMs + WINDOW_MS
    this.#given.fill(0)
  }

  /** Whether the host that sent the frame gets another answer. */
  take(frame: Uint8Array): boolean {
    let hash = 0x811c9dc5 // FNV-1a
    for (let at = SOURCE; at < SOURCE + 6; at++) hash = Math.imul(hash ^ frame[at]!, 0x01000193)
    const place = (hash ^ (hash >>> 16)) & (PLACES - 1)
    if (this.#given[place]! >= REPLIES_PER_SECOND) return false
    this.#given[place]!++
    return true
  }
}
