/** Hold and keepalive time of a peer, chapter 01 section 2.7; nanoseconds. */
import { formatDuration } from '../duration.ts'
import type { Finding } from '../problems.ts'

export interface Timers {
  readonly hold?: bigint
  readonly keepalive?: bigint
}

const SECOND = 1_000_000_000n

/** What is not given follows from what is: keepalive is a third of hold. */
export function completeTimers({ hold, keepalive }: Timers): Timers {
  if (hold !== undefined && keepalive === undefined) return { hold, keepalive: hold / 3n }
  if (hold === undefined && keepalive !== undefined) return { hold: keepalive * 3n, keepalive }
  return { hold, keepalive }
}

/** RFC 4271 section 4.2: zero, or at least three seconds. A hold time under one second counts as zero. */
export function timersFinding(given: Timers): Finding | undefined {
  const { hold, keepalive } = completeTimers(given)
  if (hold === undefined || keepalive === undefined) return undefined
  const shown = (time: bigint | undefined) => (time === undefined ? 'nil' : formatDuration(time))
  const seconds = hold / SECOND
  const hint = 'use a hold time of 0s or of 3s and more, and a keepalive time of at most a third of it'
  if (seconds !== 0n && seconds < 3n)
    return { path: 'holdTime', message: `invalid hold time "${shown(given.hold)}": must be 0 or >=3s`, hint }
  if (keepalive < 0n || keepalive > hold) {
    const message = `invalid keepaliveTime "${shown(given.keepalive)}", must be lower than holdTime "${shown(given.hold)}"`
    return { path: 'keepaliveTime', message, hint }
  }
  return undefined
}
