/** What a BGPPeer asks of its session, as a JSON value: for `metallbctl show bgp running-config`. Holds no secrets. */
import type { BgpRole, Peer } from '../../core/config/index.ts'
import { type Family, formatAddress } from '../../core/ip/index.ts'
import { familiesOf } from './settings.ts'

export interface NeighborConfig {
  readonly myAsn: number
  readonly localAsn?: number
  readonly remoteAs: number | 'internal' | 'external'
  readonly families: readonly Family[]
  /** Of an unnumbered peer. */
  readonly interface?: string
  readonly sourceAddress?: string
  readonly routerId?: string
  readonly holdMs?: number
  readonly keepaliveMs?: number
  readonly connectMs?: number
  /** How segments are signed, never by what. */
  readonly signed?: 'md5' | 'tcp-ao'
  readonly passive: boolean
  readonly role?: BgpRole
  readonly ebgpMultiHop: boolean
  readonly ttlSecurityHops?: number
  readonly gracefulRestart: boolean
  readonly longLivedStaleSeconds?: number
  readonly maxPaths?: number
  readonly bfdProfile?: string
}

export function neighborConfig(peer: Peer): NeighborConfig {
  const { myAsn, localAsn, remoteAs, sourceAddress, routerId, holdMs, keepaliveMs, connectMs } = peer
  const {
    role,
    passive = false,
    ebgpMultiHop,
    ttlSecurityHops,
    gracefulRestart,
    longLivedStaleSeconds,
    maxPaths,
    bfdProfile,
  } = peer
  const signed = peer.aoKeys ? 'tcp-ao' : peer.password ? 'md5' : undefined
  return {
    myAsn,
    ...(localAsn && { localAsn }),
    remoteAs,
    families: familiesOf(peer),
    ...('interface' in peer.endpoint && { interface: peer.endpoint.interface }),
    ...(sourceAddress && { sourceAddress: formatAddress(sourceAddress) }),
    ...(routerId && { routerId: formatAddress(routerId) }),
    ...(holdMs !== undefined && { holdMs }),
    ...(keepaliveMs !== undefined && { keepaliveMs }),
    ...(connectMs !== undefined && { connectMs }),
    ...(signed && { signed }),
    ...{ passive, ebgpMultiHop, gracefulRestart },
    ...(role && { role }),
    ...(ttlSecurityHops && { ttlSecurityHops }),
    ...(longLivedStaleSeconds !== undefined && { longLivedStaleSeconds }),
    ...(maxPaths !== undefined && { maxPaths }),
    ...(bfdProfile && { bfdProfile }),
  }
}
