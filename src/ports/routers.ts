/** Routers that advertise themselves on a link (RFC 4861): how unnumbered BGP peers find one another. */
import type { Address } from '../core/ip/index.ts'

export interface Routers {
  /**
   * Advertises this node on the interface, and calls when what is known changes; the first time before it returns.
   * The answer ends it.
   */
  watch(interfaceName: string, listener: (known: KnownRouters) => void): () => void
}

export interface KnownRouters {
  /** Link-local addresses of the routers heard lately, ascending. */
  readonly routers: readonly Address[]
  /** Why nobody can be heard: the interface is missing, down or without an address, or may not be used. */
  readonly problem?: string
}
