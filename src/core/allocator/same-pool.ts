import type { Pool } from '../config/index.ts'

/** Equal as far as allocation goes; how an entry was spelled does not matter. */
export function samePool(a: Pool, b: Pool): boolean {
  return poolText(a) === poolText(b)
}

function poolText({ namespace, ranges, autoAssign, avoidBuggyIPs, allocation, ...limits }: Pool): string {
  const scope = allocation && [
    allocation.priority,
    allocation.namespaces && [...allocation.namespaces].sort(),
    allocation.serviceSelectors,
  ]
  const spans = ranges.map(({ family, first, last }) => `${family} ${first}-${last}`)
  const reserved = limits.reservations?.map(({ range, owner, note }) => [`${range.first}-${range.last}`, owner, note])
  const kept = [limits.quarantineMs, reserved, limits.quotas && [...limits.quotas].sort(), limits.exclusive]
  return JSON.stringify([namespace, spans, autoAssign, avoidBuggyIPs, scope, kept])
}
