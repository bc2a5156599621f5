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
  /** The peers are told to prefer other nodes (RFC 8326). */
  readonly drained?: true
}

/** In name order of the nodes, then as the speaker would; a node without a speaker or without a peer announces nothing. */
export function bgpAnnouncements(admitted: Admitted, world: World): BgpAnnouncement[] {
  const advertisements = world.config.bgp?.advertisements ?? []
  const named = new Set(advertisements.flatMap(({ nodes }) => [...nodes]))
  const nodes = [...named].filter(node => world.members?.has(node) ?? true)
  return nodes.sort().flatMap(node => announcementsOf(node, admitted, asSeenBy(node, world)))
}

function announcementsOf(node: string, admitted: Admitted, world: World): BgpAnnouncement[] {
  const known = (world.config.bgp?.peers ?? []).map(({ name }) => name).sort()
  return admitted.addresses.flatMap(address => {
    const { routes, reasons } = decideBgp({ ...admitted, addresses: [address] }, node, world)
    const drained = routes.length > 0 && reasons().some(({ code }) => code === 'nodeDrained')
    return routes.flatMap(({ prefix, advertisement, peers }) => {
      const told = known.filter(name => peers === 'all' || peers.has(name))
      const route = { node, address, prefix: formatPrefix(prefix), peers: told, advertisement }
      return told.length === 0 ? [] : [{ ...route, ...(drained && { drained }) }]
    })
  })
}
