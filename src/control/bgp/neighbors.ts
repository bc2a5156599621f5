/** Which router an unnumbered peer means: the one that advertises itself on its interface (chapter 04 section 6.13). */
import type { Peer } from '../../core/config/index.ts'
import { formatAddress } from '../../core/ip/index.ts'
import type { KnownRouters, Routers } from './routers.ts'
import type { AddressedPeer } from './settings.ts'

interface Watched {
  readonly end: () => void
  known: KnownRouters
}

const NOTHING: KnownRouters = { routers: [], problem: 'router discovery is not available' }

export class Neighbors {
  readonly #routers: Routers | undefined
  readonly #changed: () => void
  readonly #watched = new Map<string, Watched>()

  /** Without `routers` unnumbered peers are never found. `changed` is called when one is to be resolved anew. */
  constructor(routers: Routers | undefined, changed: () => void) {
    this.#routers = routers
    this.#changed = changed
  }

  /** Looks for routers on the interfaces of these peers, and on no others. */
  follow(peers: readonly Peer[]): void {
    const names = new Set(peers.flatMap(({ endpoint }) => ('interface' in endpoint ? endpoint.interface : [])))
    for (const [name, { end }] of this.#watched)
      if (!names.has(name)) {
        end()
        this.#watched.delete(name)
      }
    for (const name of names) if (!this.#watched.has(name)) this.#watch(name)
  }

  stop(): void {
    this.follow([])
  }

  /** What is known of the interface of an unnumbered peer. */
  knownFor({ endpoint }: Peer): KnownRouters {
    return ('interface' in endpoint && this.#watched.get(endpoint.interface)?.known) || NOTHING
  }

  /** The peer with its address, or why there is none now. */
  resolve(peer: Peer): AddressedPeer | string {
    const { endpoint } = peer
    if ('address' in endpoint) return { ...peer, endpoint }
    const name = endpoint.interface
    const { routers, problem } = this.#watched.get(name)?.known ?? NOTHING
    const [router, ...others] = routers
    if (router === undefined) return problem ?? `no router advertises itself on interface ${name}`
    if (others.length === 0) return { ...peer, endpoint: { address: router, interface: name } }
    const all = routers.map(formatAddress).join(', ')
    return `more than one router on interface ${name} (${all}): an unnumbered peer needs a link of its own`
  }

  #watch(name: string): void {
    if (this.#routers === undefined) return
    const watched: Watched = { known: { routers: [] }, end: () => end() }
    let begun = false
    const end = this.#routers.watch(name, known => {
      watched.known = known
      if (begun) this.#changed() // what is known from the start comes with `follow`
    })
    begun = true
    this.#watched.set(name, watched)
  }
}
