/** What the peers should know: routes of Services, counted by prefix, so that one change costs what it touches. */
import type { Community } from '../../core/config/index.ts'
import { formatPrefix, type Prefix } from '../../core/ip/index.ts'
import { routeKey, type ServiceRoute } from '../../core/plan/index.ts'
import type { Route } from '../../protocols/bgp/index.ts'
import { DEFAULT_LOCAL_PREF } from './settings.ts'

export class Rib {
  readonly #services = new Map<string, readonly ServiceRoute[]>()
  /** By prefix, then by Service: a prefix goes only with the last of its Services. */
  readonly #prefixes = new Map<string, { prefix: Prefix; routes: Map<string, ServiceRoute[]> }>()
  readonly #changed = new Map<string, Prefix>()
  /** Those where nothing but the weight has changed, which can wait. */
  readonly #reweighed = new Map<string, Prefix>()

  set(service: string, routes: readonly ServiceRoute[]): void {
    const marks = sameButWeight(this.routesOf(service), routes) ? this.#reweighed : this.#changed
    this.#remove(service, marks)
    if (routes.length === 0) return
    this.#services.set(service, routes)
    for (const route of routes) {
      const key = formatPrefix(route.prefix)
      const entry = this.#prefixes.get(key) ?? { prefix: route.prefix, routes: new Map() }
      this.#prefixes.set(key, entry)
      entry.routes.set(service, [...(entry.routes.get(service) ?? []), route])
      marks.set(key, route.prefix)
    }
  }

  delete(service: string): void {
    this.#remove(service, this.#changed)
  }

  #remove(service: string, marks: Map<string, Prefix>): void {
    for (const { prefix } of this.#services.get(service) ?? []) {
      const key = formatPrefix(prefix)
      const entry = this.#prefixes.get(key)
      entry?.routes.delete(service)
      if (entry?.routes.size === 0) this.#prefixes.delete(key)
      marks.set(key, prefix)
    }
    this.#services.delete(service)
  }

  clear(): void {
    for (const service of [...this.#services.keys()]) this.delete(service)
  }

  routesOf(service: string): readonly ServiceRoute[] {
    return this.#services.get(service) ?? []
  }

  services(): Iterable<string> {
    return this.#services.keys()
  }

  /** Prefixes whose routes may have changed since the last time. */
  takeChanged(): Prefix[] {
    const changed = [...this.#changed.values()]
    for (const key of this.#changed.keys()) this.#reweighed.delete(key)
    this.#changed.clear()
    return changed
  }

  get isReweighed(): boolean {
    return this.#reweighed.size > 0
  }

  takeReweighed(): Prefix[] {
    const changed = [...this.#reweighed.values()]
    this.#reweighed.clear()
    return changed
  }

  /** What the peer should know about the prefix, in so many copies at most; undefined for nothing. */
  routeFor(peer: string, prefix: Prefix, maxPaths = 1): Route | undefined {
    const byService = [...(this.#prefixes.get(formatPrefix(prefix))?.routes.values() ?? [])]
    return merged(
      byService.map(routes => routes.filter(route => goesTo(route, peer))),
      maxPaths,
    )
  }

  *routesFor(peer: string, maxPaths?: number): Iterable<Route> {
    for (const { prefix } of this.#prefixes.values()) {
      const route = this.routeFor(peer, prefix, maxPaths)
      if (route !== undefined) yield route
    }
  }
}

function sameButWeight(before: readonly ServiceRoute[], after: readonly ServiceRoute[]): boolean {
  const keyOf = ({ linkBandwidth: _bandwidth, paths: _paths, ...route }: ServiceRoute) => routeKey(route)
  const known = new Set(before.map(keyOf))
  return before.length === after.length && after.length > 0 && after.every(route => known.has(keyOf(route)))
}

export function goesTo({ peers }: ServiceRoute, peer: string): boolean {
  return peers === 'all' || peers.has(peer)
}

/** One prefix of many: all communities, and what makes it preferred most (chapter 04 section 2.7, D24). */
function merged(byService: readonly (readonly ServiceRoute[])[], maxPaths: number): Route | undefined {
  const [first, ...others] = byService.flat()
  if (first === undefined) return undefined
  const communities = new Map<string, Community>()
  let best = first
  for (const route of [first, ...others]) {
    if (preference(route, best) > 0) best = route
    for (const community of route.communities) communities.set(`${community.kind} ${community.parts}`, community)
  }
  const { prefix, localPref, prepend, med } = best
  const linkBandwidth = byService.reduce((sum, routes) => sum + bandwidthOf(routes), 0)
  const paths = maxPaths === 1 ? 1 : byService.reduce((sum, routes) => sum + pathsOf(routes), 0)
  const options = { ...(prepend !== undefined && { prepend }), ...(med !== undefined && { med }) }
  const attributes = {
    ...(linkBandwidth > 0 && { linkBandwidth }),
    ...(paths > 1 && { paths: Math.min(paths, maxPaths) }),
    communities: [...communities.values()],
    ...(localPref !== undefined && { localPref }),
    ...options,
  }
  return { prefix, attributes }
}

/** Several advertisements of one Service speak of the same endpoints. */
function bandwidthOf(routes: readonly ServiceRoute[]): number {
  return Math.max(0, ...routes.map(({ linkBandwidth = 0 }) => linkBandwidth))
}

function pathsOf(routes: readonly ServiceRoute[]): number {
  return Math.max(0, ...routes.map(({ paths = 1 }) => paths))
}

/** Positive where routers would take `a`: higher preference, shorter path, lower MED (RFC 4271 section 9.1.2). */
function preference(a: ServiceRoute, b: ServiceRoute): number {
  const byLocalPref = (a.localPref ?? DEFAULT_LOCAL_PREF) - (b.localPref ?? DEFAULT_LOCAL_PREF)
  return byLocalPref || (b.prepend ?? 0) - (a.prepend ?? 0) || (b.med ?? 0) - (a.med ?? 0)
}
