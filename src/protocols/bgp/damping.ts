/** How long to wait, as plain arithmetic. Milliseconds. */

/** Reconnects are damped (RFC 4271 section 8.1.3): how long a session rests in Idle after its n-th failure in a row. */
export function idleHoldMs(failures: number, maxMs: number): number {
  return failures <= 1 ? 0 : Math.min(1000 * 2 ** Math.min(failures - 2, 30), maxMs)
}

/** A session that stays Established as long as this has no past (chapter 04 section 2.2). */
export const STABLE_MS = 30_000

/** The ConnectRetryTimer where nothing is configured (RFC 4271 section 10). */
export const DEFAULT_CONNECT_RETRY_MS = 120_000

/** One attempt to connect takes no longer, so that a peer which comes back is not missed while SYNs back off. */
const DIAL_MS = 10_000

export function dialMs(connectRetryMs: number): number {
  return Math.min(connectRetryMs, DIAL_MS)
}

/** The "large value" of the HoldTimer in OpenSent (RFC 4271 section 8.2.2). */
export const OPEN_HOLD_MS = 240_000

/** The smaller of both, in whole seconds as they travel; 0 switches the timers off (RFC 4271 section 4.2). */
export function agreedHoldMs(oursMs: number, theirsSeconds: number): number {
  return 1000 * Math.min(holdSeconds(oursMs), theirsSeconds)
}

export function holdSeconds(ms: number): number {
  return Math.min(Math.trunc(ms / 1000), 0xffff)
}

/** A third of the hold time (RFC 4271 section 4.4), or what is configured if that is less; at least a second. */
export function keepaliveMs(agreedHold: number, configured: number | undefined): number {
  if (agreedHold === 0) return 0
  return Math.max(1000, Math.min(configured || Number.POSITIVE_INFINITY, agreedHold / 3))
}

/** RFC 9687 section 5: how long unsent data may wait. */
export function sendHoldMs(agreedHold: number): number {
  return Math.max(480_000, 2 * agreedHold)
}

/** A random factor of 0.75 to 1 against synchronisation (RFC 4271 section 10); `random` is in [0, 1). */
export function jittered(ms: number, random: number): number {
  return ms * (1 - random / 4)
}
