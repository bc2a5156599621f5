import type { Heartbeat } from './packet.ts'
import { faded, learned, type Patience } from './timing.ts'

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
  /** Silent for so long that this node is a witness of it. */
  readonly missed: boolean
  readonly joining: boolean
  /** It leaves addresses to others for now (IMP-4). */
  readonly held?: boolean
  /** Its packets come so far apart. */
  readonly intervalMs: number
  /** The longest time between two of its packets of late. */
  readonly gapMs: number
  /** Whose packets it missed when it last spoke. */
  readonly silent: readonly string[]
  /** Its usable interfaces; undefined where it publishes none. */
  readonly interfaces: readonly string[] | undefined
  /** Monotonic milliseconds; moved on where this node itself stood still. */
  readonly heardMs: number
  /** Since then it has been heard without ever being given up. */
  readonly presentMs: number
}

const MOST_RETIRED = 8

/** The peer after a proven packet; undefined where the packet is a repetition. */
export function heard(peer: Peer | undefined, packet: Heartbeat, address: string, nowMs: number): Peer | undefined {
  const { node, boot, sequence, joining, held, leaving, intervalMs, silent, interfaces } = packet
  const said = { node, address, boot, sequence, joining, intervalMs, silent, interfaces, ...(held && { held }) }
  const next: Peer = {
    ...said,
    retired: [],
    at: leaving ? 'left' : 'alive',
    missed: false,
    gapMs: 0,
    heardMs: nowMs,
    presentMs: nowMs,
  }
  if (peer === undefined) return next
  if (peer.boot !== boot) {
    if (peer.retired.includes(boot)) return undefined
    return { ...next, retired: [...peer.retired, peer.boot].slice(-MOST_RETIRED) }
  }
  if (sequence <= peer.sequence || peer.at === 'left') return undefined // nothing follows a leave in the same boot
  const elapsedMs = nowMs - peer.heardMs
  // What it was given up for was an outage: nothing follows for the next one.
  const gapMs = peer.at === 'dead' ? faded(peer.gapMs, elapsedMs) : learned(peer.gapMs, elapsedMs)
  const presentMs = peer.at === 'dead' ? nowMs : peer.presentMs
  return { ...next, retired: peer.retired, gapMs, presentMs }
}

/** The peer, neither dead nor gone, after silence. */
export function silent(peer: Peer, nowMs: number, { suspectMs, missedMs, deadMs }: Patience): Peer {
  const silence = nowMs - peer.heardMs
  if (silence >= deadMs) return { ...peer, at: 'dead', missed: true }
  return silence >= suspectMs ? { ...peer, at: 'suspect', missed: silence >= missedMs } : peer
}

/** Whether others should look at it anew. */
export function differs(before: Peer | undefined, after: Peer): boolean {
  if (before === undefined) return true
  const same = before.at === after.at && before.joining === after.joining && before.address === after.address
  return !same || before.held !== after.held || !sameNames(before.silent, after.silent) || publishesOther(before, after)
}

function publishesOther({ interfaces: before }: Peer, { interfaces: after }: Peer): boolean {
  if (before === undefined || after === undefined) return before !== after
  return !sameNames(before, after)
}

function sameNames(before: readonly string[], after: readonly string[]): boolean {
  return before.length === after.length && before.every((name, place) => name === after[place])
}
