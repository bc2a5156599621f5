import type { Heartbeat } from './packet.ts'

/** Another speaker, from its first proven packet on. */
export interface Peer {
  readonly node: string
  readonly address: string
  readonly boot: bigint
  /** Earlier boots, newest last: their packets are recordings. */
  readonly retired: readonly bigint[]
  readonly sequence: number
  /** Suspect: silent for a while, still a member. Dead: silent for too long. Left: said so. */
  readonly at: 'alive' | 'suspect' | 'dead' | 'left'
  readonly joining: boolean
  /** Its packets come so far apart. */
  readonly intervalMs: number
  /** Whose packets it missed when it last spoke. */
  readonly silent: readonly string[]
  /** Monotonic milliseconds; moved on where this node itself stood still. */
  readonly heardMs: number
}

export interface Timing {
  /** Between two packets to a peer. */
  readonly intervalMs: number
  /** Without any packet: ask for an answer. */
  readonly suspectAfterMs: number
  /** Without any packet: no member any more. */
  readonly deadAfterMs: number
  /** A dead or left peer that discovery does not name is forgotten. */
  readonly forgetAfterMs: number
}

export const DEFAULT_TIMING: Timing = { intervalMs: 200, suspectAfterMs: 600, deadAfterMs: 1000, forgetAfterMs: 60_000 }

const MOST_RETIRED = 8
/** What a peer says of its interval is believed up to this factor. */
const MOST_SLOWER = 32

/** Section 6 of chapter 03's improvements: silence is noticed within half a second. A block of 200 ms is no silence. */
export const FAST_TIMING: Timing = { intervalMs: 100, suspectAfterMs: 250, deadAfterMs: 450, forgetAfterMs: 60_000 }

/** Peers that get a packet each interval; with twice as many the interval doubles, and so on. */
const PEERS_AN_INTERVAL = 32

/** How many ticks lie between two packets to a peer, in a cluster of this size. */
export const ticksBetween = (peers: number) => Math.max(1, Math.ceil(peers / PEERS_AN_INTERVAL))

/** Whether elections count on it. */
export function isMember(peer: Peer | undefined): boolean {
  return peer !== undefined && (peer.at === 'alive' || peer.at === 'suspect') && !peer.joining
}

/** The peer after a proven packet; undefined where the packet is a repetition. */
export function heard(peer: Peer | undefined, packet: Heartbeat, address: string, nowMs: number): Peer | undefined {
  const { node, boot, sequence, joining, leaving, intervalMs, silent } = packet
  const next: Peer = {
    node,
    address,
    boot,
    retired: [],
    sequence,
    joining,
    intervalMs,
    silent,
    heardMs: nowMs,
    at: leaving ? 'left' : 'alive',
  }
  if (peer === undefined) return next
  if (peer.boot !== boot) {
    if (peer.retired.includes(boot)) return undefined
    return { ...next, retired: [...peer.retired, peer.boot].slice(-MOST_RETIRED) }
  }
  if (sequence <= peer.sequence || peer.at === 'left') return undefined // nothing follows a leave in the same boot
  return { ...next, retired: peer.retired }
}

/** The peer after silence. */
export function silent(peer: Peer, nowMs: number, { intervalMs, suspectAfterMs, deadAfterMs }: Timing): Peer {
  if (peer.at === 'dead' || peer.at === 'left') return peer
  const slower = Math.min(Math.max(1, peer.intervalMs / intervalMs), MOST_SLOWER) // it said so
  const silence = (nowMs - peer.heardMs) / slower
  if (silence >= deadAfterMs) return { ...peer, at: 'dead' }
  return silence >= suspectAfterMs ? { ...peer, at: 'suspect' } : peer
}

/**
 * How long this node stood still: a tick that comes late says nothing about the peers, whose packets may wait unread.
 * Lateness up to one interval is normal.
 */
export function stallMs(sinceLastTickMs: number, intervalMs: number): number {
  const late = sinceLastTickMs - intervalMs
  return late > intervalMs ? late : 0
}
