import type { Address, Family } from '../../../core/ip/index.ts'

/** Addresses of this node that a session can name as next hops. */
export interface LocalAddresses {
  /** Our end of the connection. */
  readonly connection: Address
  /** Of the interface that the connection uses. */
  readonly ipv4?: Address
  /** Global, of the interface that the connection uses. */
  readonly ipv6?: Address
  /** Of that interface, where the peer is on the same link. */
  readonly linkLocal?: Address
}

/** Where the next hop of a family goes, or why its routes cannot be sent. */
export type NextHopChoice =
  /** The NEXT_HOP attribute, with the prefixes in the NLRI field. */
  | { readonly kind: 'next hop'; readonly address: Address }
  | { readonly kind: 'mp reach'; readonly nextHop: Address; readonly linkLocal?: Address }
  | { readonly kind: 'none'; readonly why: string }

/** Always ourselves (chapter 04 section 6.5, the table of next hops). */
export function chooseNextHop(family: Family, local: LocalAddresses, extendedNextHop: boolean): NextHopChoice {
  return family === 'ipv4' ? forIPv4(local, extendedNextHop) : forIPv6(local)
}

function forIPv4({ connection, ipv4 }: LocalAddresses, extendedNextHop: boolean): NextHopChoice {
  if (connection.family === 'ipv4') return { kind: 'next hop', address: connection }
  if (extendedNextHop)
    return isLinkLocal(connection)
      ? { kind: 'mp reach', nextHop: connection, linkLocal: connection } // twice, as FRR does
      : { kind: 'mp reach', nextHop: connection }
  if (ipv4 !== undefined && !isLinkLocal(connection)) return { kind: 'next hop', address: ipv4 }
  return { kind: 'none', why: 'no IPv4 next hop: the peer does not accept IPv6 next hops (RFC 8950) for IPv4 prefixes' }
}

function forIPv6({ connection, ipv6, linkLocal }: LocalAddresses): NextHopChoice {
  if (connection.family === 'ipv4')
    return ipv6 === undefined
      ? { kind: 'none', why: 'no IPv6 next hop: the interface towards the peer has no global IPv6 address' }
      : { kind: 'mp reach', nextHop: ipv6 }
  if (isLinkLocal(connection)) return { kind: 'mp reach', nextHop: ipv6 ?? connection, linkLocal: connection }
  return { kind: 'mp reach', nextHop: connection, ...(linkLocal && { linkLocal }) } // RFC 2545 section 3
}

/** fe80::/10 */
export function isLinkLocal({ family, value }: Address): boolean {
  return family === 'ipv6' && value >> 118n === 0x3fan
}
