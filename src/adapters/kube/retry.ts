/** When to ask again: plain arithmetic, and the pause itself. */
import { type Clock, isTransient, type Random } from '../../ports/index.ts'

const FIRST_MS = 200
const LONGEST_MS = 15_000
const LONGEST_RETRY_AFTER_MS = 60_000
/** A single read waits no longer than this before it reports the refusal. */
const READ_LONGEST_MS = 5_000

/**
 * Pause before the next attempt after the n-th failure in a row (n from 1): 200 ms doubling to 15 s, half of it by
 * chance so that a fleet does not come back in step. Retry-After is a lower bound, up to a minute.
 */
export function backoffMs(failures: number, random: Random, retryAfterMs = 0): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1))
  return Math.max(full * (0.5 + random.next() / 2), Math.min(retryAfterMs, LONGEST_RETRY_AFTER_MS))
}

/** Pause before a failed read is repeated, undefined where repeating it now is pointless. */
export function readRetryDelayMs(error: unknown, attempt: number, random: Random): number | undefined {
  if (!isTransient(error)) return undefined
  const delay = backoffMs(attempt, random, error.retryAfterMs)
  return delay <= READ_LONGEST_MS ? delay : undefined
}

/** Resolves after `ms`, or at once when the signal is aborted. */
export async function pause(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return
  await new Promise<void>(resolve => {
    const end = () => {
      timer.cancel()
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const timer = clock.after(ms, end)
    signal?.addEventListener('abort', end)
  })
}
