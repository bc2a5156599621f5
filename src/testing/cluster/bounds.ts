/** How long things may take, from the timing that the speakers keep. */
import { FAST_TIMING, patience, roundOf } from '../../protocols/heartbeat/index.ts'
import { FAST_LAN } from '../../protocols/memberlist/index.ts'
import { TOLERATED } from './truth.ts'

/**
 * The longest silence of a peer that a speaker has learned to bear, and waits twice as long for the next: of packets lost and
 * stalls that must move nothing; after troubles, of what just fell short of one.
 */
export const LEARNED_MS = { calm: 100, stalls: TOLERATED.stallMs + 100, troubles: 1000 }
/** A way, a retry of a way that was lost, and what event loops add. */
const SLACK_MS = 150

/**
 * From a crash to the last taking over. With two survivors one's silence is the other's witness: heartbeats decide. A lone
 * survivor waits for memberlist: the probes of all that died, as slow as health allows, and a suspicion without confirmation.
 */
export function takeoverBoundMs(survivors: number, cluster: number, learnedMs: number): number {
  const { roundMs } = roundOf(cluster - 1, FAST_TIMING)
  const gapMs = Math.max(learnedMs, 2 * roundMs) // where a packet was lost of late
  if (survivors >= 2) return patience(roundMs, gapMs, FAST_TIMING).deadMs + roundMs + SLACK_MS
  const { probeIntervalMs, suspicionMult } = FAST_LAN.fast!
  const probes = (cluster - 1) * probeIntervalMs * FAST_LAN.awarenessMaxMultiplier
  const scale = Math.max(1, Math.log10(cluster))
  return 1.5 * probes + FAST_LAN.suspicionMaxTimeoutMult * suspicionMult * probeIntervalMs * scale + SLACK_MS
}

/** Issue 5: a healed partition has one owner within two seconds. */
export const HEALED_MS = 2000

/**
 * Among up to six speakers, some of them the reference's: it is probed after at most nine seconds, the probe takes one, and the
 * suspicion, which others confirm, four; half as much again for a health that is not the best (chapter 03 section 6.1).
 */
export const MIXED_MS = 1.5 * (9000 + 1000 + 4000)

/** What happened while a bound was longer may take that long, until it could be over. */
export class LastingBound {
  #ms = 0
  #untilMs = 0

  /** The bound that holds, where it would be `ms` by what is now. */
  at(nowMs: number, ms: number): number {
    if (ms >= this.#ms || nowMs > this.#untilMs) {
      this.#ms = ms
      this.#untilMs = nowMs + ms
    }
    return this.#ms
  }
}
