/** From a BGPPeer to a session: defaults and rules of chapter 04 sections 2.4, 6.2, 6.4, 6.12 and 6.14. */
import { keyProblem, type Peer } from '../../core/config/index.ts'
import { type Address, type Family, formatAddress } from '../../core/ip/index.ts'
import type { NetworkInterface, StreamEndpoint, StreamTarget } from '../../ports/index.ts'
import { DEFAULT_CONNECT_RETRY_MS, isLinkLocal, type LocalAddresses, type Settings } from '../../protocols/bgp/index.ts'

/** Decision 4. */
export const DEFAULT_LOCAL_PREF = 100
const DEFAULT_HOLD_MS = 90_000
const RESTART_SECONDS = 120
/** CS6, network control. */
export const TRAFFIC_CLASS = 0xc0

/** A peer that is reached by its address. */
export interface AddressedPeer extends Peer {
  /** `interface`: of an unnumbered peer, whose link-local address was found there. */
  readonly endpoint: { readonly address: Address; readonly interface?: string }
}

/** Why there can be no session (chapter 04 example 109). */
export function passwordProblem({ password }: Peer): string | undefined {
  const problem = password === undefined ? undefined : keyProblem(password)
  return problem && `the password ${problem}`
}

/** `192.0.2.1:179`, `2001:db8::1:179` or `eth1:179`: the label of metrics (chapter 04 section 7.1). */
export function peerLabel({ endpoint, port }: Peer): string {
  return `${peerText(endpoint)}:${port}`
}

export function peerText(endpoint: Peer['endpoint'] | AddressedPeer['endpoint']): string {
  const name = interfaceNameOf(endpoint)
  return name ?? formatAddress((endpoint as AddressedPeer['endpoint']).address)
}

/** Of an unnumbered peer, whether its address is known or not. */
export function interfaceNameOf(endpoint: Peer['endpoint'] | AddressedPeer['endpoint']): string | undefined {
  return 'interface' in endpoint ? endpoint.interface : undefined
}

/**
 * `restarting`: routes of before are announced again, but not all are here yet (RFC 4724 section 4.1). `listens`: routers
 * may connect to us.
 */
export function settingsOf(peer: AddressedPeer, node: string, restarting: boolean, listens = false): Settings {
  const families = familiesOf(peer)
  return {
    localAsn: peer.localAsn ?? peer.myAsn,
    identifier: peer.routerId ?? identifierOf(node),
    remoteAs: peer.remoteAs,
    holdMs: peer.holdMs ?? DEFAULT_HOLD_MS,
    keepaliveMs: peer.keepaliveMs,
    connectRetryMs: peer.connectMs ?? DEFAULT_CONNECT_RETRY_MS,
    families,
    extendedNextHop: peer.endpoint.address.family === 'ipv6' && families.includes('ipv4'),
    extendedMessage: true,
    gracefulRestart: peer.gracefulRestart ? { seconds: RESTART_SECONDS, restarting } : undefined,
    longLivedStaleSeconds: peer.longLivedStaleSeconds,
    role: peer.role,
    addPath: peer.maxPaths !== undefined,
    hostname: node,
    passive: peer.passive ?? false,
    listens,
  }
}

/** Only the family of the address, or both: what a router does not know can confuse it. */
export function familiesOf({ endpoint, dualStackAddressFamily }: Peer): Family[] {
  if (dualStackAddressFamily || 'interface' in endpoint) return ['ipv4', 'ipv6']
  return [endpoint.address.family]
}

/** Without the source address, which has to exist when it is used. The TTL is left to the system (decision 5). */
export function targetOf(peer: AddressedPeer): StreamTarget {
  const { endpoint, port, vrf, password, aoKeys, ttlSecurityHops, holdMs = DEFAULT_HOLD_MS } = peer
  return {
    address: endpoint.address,
    port,
    ...(endpoint.interface && { scope: endpoint.interface }),
    trafficClass: TRAFFIC_CLASS,
    ...(vrf && { device: vrf }),
    ...(ttlSecurityHops && { ttl: 255, minTtl: 256 - ttlSecurityHops }), // RFC 5082 section 3
    ...(password && { md5Password: password }),
    ...(aoKeys && { aoKeys }),
    ...(holdMs > 0 && { userTimeoutMs: holdMs }),
  }
}

/** The interface that has the address. */
export function interfaceOf(address: Address, interfaces: readonly NetworkInterface[]): NetworkInterface | undefined {
  return interfaces.find(one => one.addresses.some(({ address: own }) => isSame(own, address)))
}

/** What routes may name as next hop over the connection (chapter 04 section 6.5). */
export function localAddresses(
  { address: connection }: StreamEndpoint,
  peer: Address,
  interfaces: readonly NetworkInterface[],
): LocalAddresses {
  const addresses = interfaceOf(connection, interfaces)?.addresses.map(({ address }) => address) ?? []
  const ipv4 = addresses.find(({ family }) => family === 'ipv4')
  const ipv6 = addresses.find(one => one.family === 'ipv6' && !isLinkLocal(one))
  const linkLocal = isOnLink(peer, interfaces) ? addresses.find(isLinkLocal) : undefined
  return { connection, ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }), ...(linkLocal && { linkLocal }) }
}

/** Whether an interface has an address of the same network. */
export function isOnLink(peer: Address, interfaces: readonly NetworkInterface[]): boolean {
  const bits = peer.family === 'ipv4' ? 32 : 128
  return interfaces.some(({ addresses }) =>
    addresses.some(({ address, length }) => {
      const host = BigInt(bits - length)
      return address.family === peer.family && length < bits && address.value >> host === peer.value >> host
    }),
  )
}

/**
 * The router ID where none is configured: the local address of the connection, else the first IPv4 address of its
 * interface, else a hash of the node's name (chapter 04 section 2.4).
 */
export function identify({ address }: StreamEndpoint, node: string, interfaces: readonly NetworkInterface[]): Address {
  if (address.family === 'ipv4') return address
  const others = interfaceOf(address, interfaces)?.addresses ?? []
  return others.find(other => other.address.family === 'ipv4')?.address ?? identifierOf(node)
}

/** CRC-32 of the name, least significant byte first; never 0.0.0.0. */
export function identifierOf(node: string): Address {
  const crc = crc32(node)
  const swapped = ((crc & 0xff) << 24) | ((crc & 0xff00) << 8) | ((crc >>> 8) & 0xff00) | (crc >>> 24)
  return { family: 'ipv4', value: BigInt(swapped >>> 0) || 1n }
}

function crc32(text: string): number {
  let crc = 0xffffffff
  for (let index = 0; index < text.length; index++) {
    crc ^= text.charCodeAt(index) // names of nodes are ASCII
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return (crc ^ 0xffffffff) >>> 0
}

function isSame(a: Address, b: Address): boolean {
  return a.family === b.family && a.value === b.value
}
