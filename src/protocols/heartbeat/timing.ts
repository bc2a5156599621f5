/** When heartbeats go out and how long silence may last: arithmetic alone. Times in milliseconds. */

export interface Timing {
  /** Between two packets to a peer, in a cluster so small that the rate allows it. */
  readonly intervalMs: number
  /** Without any packet for so long: it is asked for an answer, and again every interval. */
  readonly suspectAfterMs: number
  /** Without any packet: no member any more. */
  readonly deadAfterMs: number
  /** A dead or left peer that discovery does not name is forgotten. */
  readonly forgetAfterMs: number
}

/** Two packets and a half are missing, then four questions stay without an answer (chapter 03 section 6.6). */
export const FAST_TIMING: Timing = { intervalMs: 50, suspectAfterMs: 125, deadAfterMs: 300, forgetAfterMs: 60_000 }

/** What a node sends, answers and questions apart: where it has more peers than 16, each gets fewer. */
const PACKETS_A_SECOND = 320
/** Packets that leave together: whoever shares the thread waits no longer than that takes. */
const TOGETHER = 8
/** What a peer says of its interval is believed up to this factor. */
const MOST_SLOWER = 32
/** Longest gaps of late that a peer may be silent for. */
const GAPS = 3
/** The time after which what was learned of gaps counts for half. */
const FADE_MS = 10_000
/** What is longer was an outage: nothing follows for the next one. */
const LONGEST_GAP_MS = 1000
/** Others are told that a peer is missed before this node gives it up itself, so that nobody waits for a witness. */
const WITNESS_SHARE = 0.6

/** How a round, a packet to each peer, is cut in parts. */
export function roundOf(peers: number, { intervalMs }: Timing): { roundMs: number; parts: number; size: number } {
  const roundMs = Math.ceil(Math.max(intervalMs, (peers * 1000) / PACKETS_A_SECOND))
  const parts = Math.max(1, Math.ceil(peers / TOGETHER))
  return { roundMs, parts, size: Math.ceil(peers / parts) }
}

export interface Patience {
  readonly suspectMs: number
  readonly missedMs: number
  readonly deadMs: number
}

/**
 * How long a peer may be silent that sends every `itsIntervalMs`. The longest gap of late stands for what the network loses
 * and for how late this node and the peer run: three times as long is no silence yet (Lifeguard's health, measured).
 */
export function patience(itsIntervalMs: number, gapMs: number, timing: Timing): Patience {
  const slower = Math.min(Math.max(1, itsIntervalMs / timing.intervalMs), MOST_SLOWER)
  const suspectMs = Math.max(timing.suspectAfterMs * slower, GAPS * gapMs)
  const questionsMs = timing.deadAfterMs - timing.suspectAfterMs
  return { suspectMs, missedMs: suspectMs + WITNESS_SHARE * questionsMs, deadMs: suspectMs + questionsMs }
}

/** The longest gap of late, `elapsedMs` after it was learned. */
export const faded = (gapMs: number, elapsedMs: number): number => gapMs * 2 ** (-elapsedMs / FADE_MS)

/** The longest gap of late, after one more. */
export function learned(gapMs: number, anotherMs: number): number {
  const before = faded(gapMs, anotherMs)
  return anotherMs > LONGEST_GAP_MS ? before : Math.max(before, anotherMs)
}

/**
 * How long this node stood still: a tick that comes late says nothing about the peers, whose packets may wait unread.
 * Lateness up to one interval is normal.
 */
export const stallMs = (lateMs: number, { intervalMs }: Timing): number => (lateMs > intervalMs ? lateMs : 0)
