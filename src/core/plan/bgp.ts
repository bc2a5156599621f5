/** Whether a node announces a Service by BGP, and which prefixes to whom (chapter 04 sections 1.6 to 1.8). */
import { type BgpAdvertisement, type Community, formatCommunity, type Pool } from '../config/index.ts'
import { localPreferencesConflict } from '../config/rules/index.ts'
import { type Address, formatAddress, formatPrefix, type Prefix, prefixOf, prefixRange } from '../ip/index.ts'
import { anySelectorMatches } from '../labels.ts'
import type { Reason } from '../reason.ts'
import type { Endpoint } from '../service.ts'
import { type Admitted, objectOf } from './admission.ts'
import { drainReason, leastPreferred } from './drain.ts'
import { isExclusion, skippedByLabel } from './skipped.ts'
import { objections } from './standing.ts'
import type { World } from './world.ts'

/** A prefix that one advertisement makes of one address. */
export interface ServiceRoute {
  readonly prefix: Prefix
  readonly advertisement: string
  /** Names of BGPPeers. */
  readonly peers: ReadonlySet<string> | 'all'
  readonly localPref?: number
  readonly prepend?: number
  readonly med?: number
  /** Bytes per second, for routers that divide traffic by it (draft-ietf-idr-link-bandwidth). */
  readonly linkBandwidth?: number
  /** Copies of the path for peers that take several: the endpoints of the node (RFC 7911). Absent: 1. */
  readonly paths?: number
  /** Ascending, each once. */
  readonly communities: readonly Community[]
}

export interface BgpDecision {
  readonly announces: boolean
  /** `owner`, or the word of chapter 04 section 1.6: the code of the first reason. */
  readonly code: string
  readonly reasons: () => readonly [Reason, ...Reason[]]
  /** As in `Refusal`. */
  readonly cause: () => string
  /** Empty where it does not announce. */
  readonly routes: readonly ServiceRoute[]
  /** What the user should know although the Service is announced. */
  readonly warnings: readonly Reason[]
}

/** Every node decides for itself: there is no election. */
export function decideBgp(admitted: Admitted, node: string, world: World): BgpDecision {
  const ofPool = (world.config.bgp?.advertisements ?? []).filter(({ pools }) => pools.has(admitted.pool.name))
  const ofNode = ofPool.filter(({ nodes }) => nodes.has(node))
  const matches = ({ serviceSelectors }: BgpAdvertisement) =>
    serviceSelectors.length === 0 || anySelectorMatches(serviceSelectors, admitted.service.labels)
  const ads = ofNode.filter(matches)
  const [first, ...others] = reasonsAgainst(admitted, node, world, ofNode, ads)
  if (first !== undefined) {
    const elsewhere = () => ofPool.filter(matches)
    const reasons = () => [first, ...others, ...skipped([first, ...others], node, elsewhere(), world)] as const
    const cause = () => (elsewhere().length === 0 ? 'notAdvertised' : first.code)
    return { announces: false, code: first.code, reasons, cause, routes: [], warnings: [] }
  }
  const behind = endpointsBehind(admitted, node, world)
  const drained = drainReason(world.nodes.get(node), world.options)
  const copies = weighsByCopies(admitted, world)
  const made = admitted.addresses.flatMap(address => ads.map(ad => routeOf(address, ad, behind, copies)))
  const routes = drained === undefined ? made : made.map(leastPreferred)
  return {
    announces: true,
    code: 'owner',
    cause: () => 'owner',
    reasons: () => (drained === undefined ? [announces(routes)] : [announces(routes), drained]),
    routes,
    warnings: warningsOf(routes, admitted.pool, world),
  }
}

/** In the order of the table of section 1.6; the first is the word. */
function reasonsAgainst(
  { service, pool }: Admitted,
  node: string,
  world: World,
  ofNode: readonly BgpAdvertisement[],
  ads: readonly BgpAdvertisement[],
): Reason[] {
  const reasons: Reason[] = []
  const object = objectOf(service)
  if (ofNode.length === 0) {
    const message = `no BGPAdvertisement for pool ${pool.name} selects node ${node}`
    reasons.push({ code: 'notOwner', message }) // a
  } else if (ads.length === 0) {
    const names = ofNode.map(({ name }) => name).join(', ')
    const message = `no advertisement matching service: ${names} select other services`
    reasons.push({ code: 'noMatchingAdvertisement', message, object, field: 'metadata.labels' }) // b
  }
  const conflict = conflictOf(ads, pool)
  if (conflict !== undefined) reasons.push(conflict) // c
  const itself = world.nodes.get(node)
  if (itself !== undefined) reasons.push(...objections(itself, world.options)) // d and e
  const serving = world.endpointsOf(service.key).filter(({ canServe }) => canServe)
  if (service.localTrafficPolicy && !serving.some(({ nodeName }) => nodeName === node)) {
    const message = `externalTrafficPolicy is Local and no endpoint on node ${node} can serve`
    reasons.push({ code: 'noLocalEndpoints', message, object, field: 'spec.externalTrafficPolicy' }) // f
  }
  if (serving.length === 0)
    reasons.push({ code: 'noEndpoints', message: 'no endpoint of the service can serve', object }) // g
  return reasons
}

/** Where the label is all that is in the way, here and on every other node that the advertisements select. */
function skipped(
  reasons: readonly Reason[],
  node: string,
  ads: readonly BgpAdvertisement[],
  { nodes, options }: World,
): Reason[] {
  if (!reasons.every(isExclusion)) return []
  const selected = [...new Set(ads.flatMap(ad => [...ad.nodes]))]
  const isLabelled = (name: string) => (nodes.has(name) ? objections(nodes.get(name)!, options) : []).some(isExclusion)
  return selected.every(isLabelled) ? skippedByLabel(selected, node) : []
}

/** Section 1.8: one prefix cannot have two preferences for one peer. */
function conflictOf(ads: readonly BgpAdvertisement[], { ranges }: Pool): Reason | undefined {
  const families = new Set(ranges.map(({ family }) => family))
  for (const [index, a] of ads.entries())
    for (const b of ads.slice(index + 1)) {
      if (!localPreferencesConflict(a, b, families)) continue
      const values = `${a.localPref ?? 0} vs ${b.localPref ?? 0}`
      return {
        code: 'conflictingAdvertisements',
        message: `advertisements '${a.name}' and '${b.name}' have conflicting LOCAL_PREF (${values})`,
        object: { kind: 'BGPAdvertisement', name: b.name },
        field: 'spec.localPref',
      }
    }
  return undefined
}

/** Those that traffic can reach through the node: of the node itself, or, without policy Local, all. */
function endpointsBehind({ service }: Admitted, node: string, { endpointsOf }: World): Endpoint[] {
  const { key, localTrafficPolicy } = service
  return endpointsOf(key).filter(({ canServe, nodeName }) => canServe && (!localTrafficPolicy || nodeName === node))
}

/** Without policy Local every node reaches all endpoints: all weigh the same, and one path says that too. */
function weighsByCopies({ service }: Admitted, { config }: World): boolean {
  return service.localTrafficPolicy && (config.bgp?.peers ?? []).some(({ maxPaths }) => maxPaths !== undefined)
}

function routeOf(address: Address, ad: BgpAdvertisement, behind: readonly Endpoint[], copies: boolean): ServiceRoute {
  const { name, aggregationLength, peers, localPref, prepend, med, communities } = ad
  const { bandwidthPerEndpoint: bandwidth } = ad
  const linkBandwidth = bandwidth && bandwidth * countOf(address, behind)
  const paths = copies ? countOf(address, behind) : 1
  return {
    prefix: prefixOf(address, aggregationLength[address.family]),
    advertisement: name,
    peers,
    communities,
    ...(localPref !== undefined && { localPref }),
    ...(prepend !== undefined && { prepend }),
    ...(med !== undefined && { med }),
    ...(linkBandwidth && { linkBandwidth }),
    ...(paths > 1 && { paths }),
  }
}

/** The slices of a dual-stack Service name each pod twice: those of the family count. */
function countOf({ family }: Address, behind: readonly Endpoint[]): number {
  const isOfFamily = (text: string) => text.includes(':') === (family === 'ipv6')
  return behind.filter(({ addresses }) => addresses.some(isOfFamily)).length
}

function announces(routes: readonly ServiceRoute[]): Reason {
  const prefixes = [...new Set(routes.map(({ prefix }) => formatPrefix(prefix)))]
  return { code: 'owner', message: `announces ${prefixes.join(' and ')}` }
}

function warningsOf(routes: readonly ServiceRoute[], pool: Pool, { config }: World): Reason[] {
  const warnings: Reason[] = []
  for (const { prefix, advertisement } of routes) {
    const { family, first, last } = prefixRange(prefix)
    const holds = (value: bigint) =>
      pool.ranges.some(range => range.family === family && range.first <= value && value <= range.last)
    if (holds(first) && holds(last)) continue
    const ends = `${formatAddress({ family, value: first })} to ${formatAddress({ family, value: last })}`
    const message = `the aggregate ${formatPrefix(prefix)} (${ends}) covers addresses outside pool ${pool.name}`
    warnings.push({ code: 'aggregateLeavesPool', message, object: { kind: 'BGPAdvertisement', name: advertisement } })
  }
  const known = (config.bgp?.peers ?? []).map(({ name }) => name)
  if (!routes.some(({ peers }) => peers === 'all' || known.some(name => peers.has(name)))) {
    const names = [...new Set(routes.flatMap(({ peers }) => [...peers]))].sort().join(', ')
    const message = `none of the peers ${names} is configured on this node: nobody is told`
    warnings.push({ code: 'noMatchingPeer', message })
  }
  return warnings
}

/** Equal exactly for routes that say the same. */
export function routeKey(route: ServiceRoute): string {
  const { prefix, peers, localPref, prepend, med, linkBandwidth, paths, communities, advertisement } = route
  const to = peers === 'all' ? '*' : [...peers].sort().join()
  return [
    formatPrefix(prefix),
    to,
    localPref ?? '',
    prepend ?? '',
    med ?? '',
    linkBandwidth ?? '',
    paths ?? '',
    communities.map(formatCommunity).join(),
    advertisement,
  ].join(' ')
}
