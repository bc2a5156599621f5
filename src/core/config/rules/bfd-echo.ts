/** BFD echo packets do not exist for IPv6, chapter 01 section 2.10. */
import type { BfdProfile, BgpAdvertisement, Peer } from '../bgp.ts'
import type { Pool } from '../model.ts'

export interface EchoConflict {
  readonly pool: string
  readonly advertisement: string
  readonly peer: string
}

/** Peers with echo to which addresses of a pool with IPv6 are announced; the family of the session plays no role. */
export function echoConflicts(
  pools: readonly Pool[],
  advertisements: readonly BgpAdvertisement[],
  peers: readonly Pick<Peer, 'name' | 'bfdProfile'>[],
  profiles: readonly BfdProfile[],
): EchoConflict[] {
  const withEcho = new Set(profiles.filter(({ echoMode }) => echoMode).map(({ name }) => name))
  const echoing = peers.filter(({ bfdProfile }) => bfdProfile !== undefined && withEcho.has(bfdProfile))
  if (echoing.length === 0) return []
  return pools
    .filter(({ ranges }) => ranges.some(({ family }) => family === 'ipv6'))
    .flatMap(pool =>
      advertisements
        .filter(({ pools }) => pools.has(pool.name))
        .flatMap(({ name, peers }) =>
          echoing
            .filter(peer => peers === 'all' || peers.has(peer.name))
            .map(peer => ({ pool: pool.name, advertisement: name, peer: peer.name })),
        ),
    )
}
