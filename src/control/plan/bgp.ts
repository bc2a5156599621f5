/** Which node would announce an address by BGP, as which prefix and to whom: the decision of the speakers (core/plan). */
import { type Address, formatPrefix } from '../../core/ip/index.ts'
import { type Admitted, asSeenBy, decideBgp, type World } from '../../core/plan/index.ts'

export interface BgpAnnouncement {
  readonly node: string
  readonly address: Address
  readonly prefix: string
  /** BGPPeers, in name order. */
  readonly peers: readonly string[]
  readonly advertisement: string
}

/** In name order of the nodes, then as the speaker would; a node without a peer announces nothing. */
export function bgpAnnouncements(admitted: Admitted, world: World): BgpAnnouncement[] {
  const advertisements = world.config.bgp?.advertisements ?? []
  const nodes = new Set(advertisements.flatMap(({ nodes }) => [...nodes]))
  return [...nodes].sort().flatMap(node => announcementsOf(node, admitted, asSeenBy(node, world)))
}

function announcementsOf(node: string, admitted: Admitted, world: World): BgpAnnouncement[] {
  const known = (world.config.bgp?.peers ?? []).map(({ name }) => name).sort()
  return admitted.addresses.flatMap(address =>
    decideBgp({ ...admitted, addresses: [address] }, node, world).routes.flatMap(({ prefix, advertisement, peers }) => {
      const told = known.filter(name => peers === 'all' || peers.has(name))
      return told.length === 0 ? [] : [{ node, address, prefix: formatPrefix(prefix), peers: told, advertisement }]
    }),
  )
}
