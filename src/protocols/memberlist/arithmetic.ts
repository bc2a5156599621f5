/** The numbers of chapter 03 section 4.9, as plain functions. `n` counts all records, self and dead ones included. */

/** Push/pull grows rarer in large clusters: ×1 up to 32 nodes, then one more for every doubling. */
export function pushPullScale(n: number): number {
  return n <= 32 ? 1 : Math.ceil(Math.log2(n) - 5) + 1
}

/** How often each broadcast is sent at most. */
export function retransmitLimit(mult: number, n: number): number {
  return mult * Math.ceil(Math.log10(n + 1))
}

export interface SuspicionBounds {
  readonly minMs: number
  readonly maxMs: number
  /** Confirmations by others that bring the timeout down to its minimum. */
  readonly k: number
}

export function suspicionBounds(
  timing: { readonly suspicionMult: number; readonly probeIntervalMs: number },
  maxMult: number,
  n: number,
): SuspicionBounds {
  const scale = Math.trunc(1000 * Math.max(1, Math.log10(Math.max(1, n)))) / 1000
  const minMs = Math.round(timing.suspicionMult * scale * timing.probeIntervalMs)
  const wanted = timing.suspicionMult - 2
  return { minMs, maxMs: maxMult * minMs, k: n - 2 < wanted ? 0 : wanted }
}

/** How long a suspicion lasts, from its start, with so many confirmations (Lifeguard). */
export function suspicionTimeoutMs({ minMs, maxMs, k }: SuspicionBounds, confirmations: number): number {
  if (k < 1) return minMs
  const fraction = Math.log(confirmations + 1) / Math.log(k + 1)
  return Math.max(minMs, Math.floor(maxMs - fraction * (maxMs - minMs)))
}

/** The health score after a change: 0 is well, `max - 1` is worst. */
export function healthAfter(score: number, change: number, max: number): number {
  return Math.min(Math.max(score + change, 0), Math.max(max - 1, 0))
}
