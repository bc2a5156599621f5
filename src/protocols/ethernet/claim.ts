/** Where an announced address is answered. */
export interface Claim {
  /** Names of interfaces. */
  readonly interfaces: ReadonlySet<string> | 'all'
  /** The caller's own number for the address. */
  readonly slot: number
  /**
   * Nodes that had the address before and may still forward: it is announced once one of them does not. The first was the
   * last to answer for it, and is asked whether it still does.
   */
  readonly after?: readonly string[]
}

/** An interface as those who answer on it see it. */
export interface Responder {
  readonly name: string
  /** Six bytes. */
  readonly mac: Uint8Array
  /** Its link-local address as a number, where it has one. */
  readonly linkLocal: bigint | undefined
  /** Its first IPv4 address as a signed number, where it has one. */
  readonly ipv4?: number | undefined
}

export function matches(claim: Claim, interfaceName: string): boolean {
  return claim.interfaces === 'all' || claim.interfaces.has(interfaceName)
}
