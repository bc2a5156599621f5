/** The BGP part of the configuration in force. */
import type { Address } from '../ip/index.ts'
import type { LabelSelector } from '../labels.ts'
import type { Community } from './community.ts'
import type { TcpAoKey } from './tcp-key.ts'

/** What one end of a session between ASes is to the other (RFC 9234 section 3). */
export type BgpRole = 'provider' | 'rs' | 'rs-client' | 'customer' | 'peer'

/** A BGPPeer of this node. Times are milliseconds and may have fractions. */
export interface Peer {
  readonly name: string
  /** AS of the local side (`spec.myASN`). */
  readonly myAsn: number
  /** AS of the peer, or what it must be compared with the local one (`spec.dynamicASN`). */
  readonly remoteAs: number | 'internal' | 'external'
  /** AS shown to this peer instead (`spec.localASN`). */
  readonly localAsn?: number
  /** The address of the peer, or the interface of an unnumbered session. */
  readonly endpoint: { readonly address: Address } | { readonly interface: string }
  readonly port: number
  readonly sourceAddress?: Address
  /** Absent: the default of the implementation. 0: no timers. */
  readonly holdMs?: number
  readonly keepaliveMs?: number
  readonly connectMs?: number
  /** Always IPv4. */
  readonly routerId?: Address
  /** Nodes that open the session, any may match; empty means every node. */
  readonly nodeSelectors: readonly LabelSelector[]
  /** TCP MD5 password, from the object or from its Secret. Never printed. */
  readonly password?: string
  /** TCP-AO keys, in place of a password; the first signs (RFC 5925). Never printed. */
  readonly aoKeys?: readonly TcpAoKey[]
  readonly passwordSecret?: { readonly name: string; readonly namespace?: string }
  /** The router opens the connection, never we. Absent: both may. */
  readonly passive?: true
  /** What we are to the router. Absent: it is not said. */
  readonly role?: BgpRole
  readonly bfdProfile?: string
  readonly gracefulRestart: boolean
  /** How long routers may keep our routes as a last resort when we do not come back (RFC 9494). Absent: not at all. */
  readonly longLivedStaleSeconds?: number
  /** The most copies of a path that the peer is sent to weigh nodes by their endpoints (RFC 7911). Absent: no copies. */
  readonly maxPaths?: number
  readonly ebgpMultiHop: boolean
  /** Routers between the peer and us, and one more: packets that crossed more are not heard (RFC 5082). Absent: off. */
  readonly ttlSecurityHops?: number
  readonly vrf?: string
  readonly disableMP: boolean
  readonly dualStackAddressFamily: boolean
}

/** What is absent is left to the default of the implementation. */
export interface BfdProfile {
  readonly name: string
  readonly receiveIntervalMs?: number
  readonly transmitIntervalMs?: number
  readonly detectMultiplier?: number
  readonly echoIntervalMs?: number
  readonly echoMode: boolean
  readonly passiveMode: boolean
  readonly minimumTtl?: number
}

/** A BGPAdvertisement with its selectors resolved to names. */
export interface BgpAdvertisement {
  readonly name: string
  /** Names of the nodes that announce. */
  readonly nodes: ReadonlySet<string>
  /** Names of the pools it applies to. */
  readonly pools: ReadonlySet<string>
  /** Names of BGPPeers, which need not exist, or every peer. */
  readonly peers: ReadonlySet<string> | 'all'
  /** Length of the prefix announced for an address, by family. */
  readonly aggregationLength: { readonly ipv4: number; readonly ipv6: number }
  /** Absent: not set, which differs from 0 (decision 4). */
  readonly localPref?: number
  /** How often the AS is repeated in the path, 1 to 10. Absent: not at all. */
  readonly prepend?: number
  /** Absent: none is sent. */
  readonly med?: number
  /** Bytes per second that a path is said to have for each endpoint behind it. Absent: it is not said. */
  readonly bandwidthPerEndpoint?: number
  /** Ascending, each once. */
  readonly communities: readonly Community[]
  /** Any may match; empty means every Service. */
  readonly serviceSelectors: readonly LabelSelector[]
}

export interface BgpConfig {
  /** In name order, as the other lists. */
  readonly peers: readonly Peer[]
  readonly advertisements: readonly BgpAdvertisement[]
  /** All of them, used or not. */
  readonly bfdProfiles: readonly BfdProfile[]
  /** Raw FRR configuration to append (ConfigMap `bgpextras`); empty where there is none. */
  readonly extras: string
}
