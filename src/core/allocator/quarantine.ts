/** Released addresses that rest for a time, over all pools (an option). Times are those of the allocator's clock. */
import type { Family } from '../ip/index.ts'
import type { Space } from './space.ts'
import type { Place, PoolState, PoolTable } from './table.ts'

/** When the next one ends; undefined where there is none. */
export function firstEnd(states: Iterable<PoolState>): number | undefined {
  let first: number | undefined
  for (const { space } of spacesOf(states))
    for (const [, { until }] of space.quarantine) {
      if (first === undefined || until < first) first = until
      break // of one space the first entry ends first
    }
  return first
}

/** Ends those whose time has come; answers where they lie. */
export function endQuarantines(states: Iterable<PoolState>, now: number): Place[] {
  const ended: Place[] = []
  for (const { state, family, space } of spacesOf(states))
    for (const [rank, { until }] of space.quarantine) {
      if (until > now) break
      space.expire(rank)
      ended.push({ state, family, rank })
    }
  return ended
}

/** What changed pools kept back is still kept back where it lies now, and no longer than the pool there asks for. */
export function keepQuarantined(changed: Iterable<PoolState>, table: PoolTable, now: number): void {
  const resting = [...spacesOf(changed)].flatMap(({ space, family }) =>
    [...space.quarantine].map(([rank, entry]) => ({ family, value: space.addressAt(rank), ...entry })),
  )
  const kept = resting.flatMap(({ key, until, ...address }) => {
    const place = table.find(address)
    const longestMs = place?.state.pool.quarantineMs
    return longestMs === undefined ? [] : [{ place: place!, key, until: Math.min(until, now + longestMs) }]
  })
  kept.sort((a, b) => a.until - b.until)
  for (const { place, key, until } of kept) place.state.spaces[place.family].keep(place.rank, key, until)
}

function* spacesOf(states: Iterable<PoolState>): Generator<{ state: PoolState; family: Family; space: Space }> {
  for (const state of states)
    if (state.pool.quarantineMs !== undefined)
      for (const space of Object.values(state.spaces)) yield { state, family: space.family, space }
}
