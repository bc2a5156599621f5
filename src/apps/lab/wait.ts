import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MS = 20

/** Asks until the condition gives something other than undefined and false. Rejects with what it waited for. */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  what: string,
  timeoutMs = 30_000,
): Promise<Exclude<T, undefined | false>> {
  const end = performance.now() + timeoutMs
  for (;;) {
    const value = await condition()
    if (value !== undefined && value !== false) return value as Exclude<T, undefined | false>
    if (performance.now() > end) throw new Error(`waited ${timeoutMs / 1000} s in vain for ${what}`)
    await sleep(POLL_MS)
  }
}
