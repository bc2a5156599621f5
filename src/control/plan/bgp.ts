/** Which node would announce an address by BGP, as which prefix and to whom (chapter 04). */
import { type Address, formatPrefix, prefixOf } from '../../core/ip/index.ts'
import { anySelectorMatches } from '../../core/labels.ts'
import { type Admitted, nodeReasons, type World } from '../../core/plan/index.ts'

export interface BgpAnnouncement {
  readonly node: string
  readonly address: Address
  readonly prefix: string
  /** BGPPeers, in name order. */
  readonly peers: readonly string[]
  readonly advertisement: string
}

/** In name order of the advertisements and nodes; a node without a peer announces nothing. */
export function bgpAnnouncements({ service, addresses, pool }: Admitted, world: World): BgpAnnouncement[] {
  const serving = world.endpointsOf(service.key).filter(({ canServe }) => canServe)
  const { advertisements = [], peers = [] } = world.config.bgp ?? {}
  const found: BgpAnnouncement[] = []
  for (const ad of advertisements) {
    const matches = ad.serviceSelectors.length === 0 || anySelectorMatches(ad.serviceSelectors, service.labels)
    if (!ad.pools.has(pool.name) || !matches) continue
    for (const node of [...ad.nodes].sort()) {
      const local = serving.some(({ nodeName }) => !service.localTrafficPolicy || nodeName === node)
      if (!local || nodeReasons(node, world).length > 0) continue
      const { labels = {} } = world.nodes.get(node) ?? {}
      const names = peers
        .filter(({ name }) => ad.peers === 'all' || ad.peers.has(name))
        .filter(({ nodeSelectors }) => nodeSelectors.length === 0 || anySelectorMatches(nodeSelectors, labels))
        .map(({ name }) => name)
      if (names.length === 0) continue
      for (const address of addresses) {
        const prefix = formatPrefix(prefixOf(address, ad.aggregationLength[address.family]))
        found.push({ node, address, prefix, peers: names, advertisement: ad.name })
      }
    }
  }
  return found
}
