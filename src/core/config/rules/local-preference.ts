/** Whether two advertisements of one pool give the same update two local preferences, chapter 01 section 2.9. */
import type { Family } from '../../ip/index.ts'
import { intersects } from '../../sets.ts'
import type { BgpAdvertisement } from '../bgp.ts'

/** The part of a BgpAdvertisement that decides. */
export type Preferring = Pick<BgpAdvertisement, 'localPref' | 'aggregationLength' | 'peers' | 'nodes'>

/** `families` are those of the pool's addresses. An unset preference counts as 0, as in the reference. */
export function localPreferencesConflict(a: Preferring, b: Preferring, families: ReadonlySet<Family>): boolean {
  if ((a.localPref ?? 0) === (b.localPref ?? 0)) return false
  if ([...families].every(family => a.aggregationLength[family] !== b.aggregationLength[family])) return false
  if (a.peers !== 'all' && b.peers !== 'all' && !intersects(a.peers, b.peers)) return false
  return intersects(a.nodes, b.nodes)
}
