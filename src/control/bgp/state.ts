/** What the sessions look like now, as a JSON value: for `metallbctl show bgp`. Holds no secrets. */
import { formatCommunity, type Peer } from '../../core/config/index.ts'
import { formatAddress, formatPrefix, type Prefix } from '../../core/ip/index.ts'
import type { LivenessStatus } from '../../ports/index.ts'
import { describeClose, type MessageCounts, type Route } from '../../protocols/bgp/index.ts'
import { type BfdState, bfdState } from './bfd-state.ts'
import { type NeighborConfig, neighborConfig } from './neighbor-config.ts'
import type { PeerSession } from './peer-session.ts'
import { peerText } from './settings.ts'

export interface RouteState {
  readonly prefix: string
  readonly localPref?: number
  readonly med?: number
  readonly prepend?: number
  /** Bytes per second. */
  readonly linkBandwidth?: number
  /** Copies that the peer is sent (RFC 7911), where it is more than one. */
  readonly paths?: number
  /** `A:B`, or `A:B:C`. */
  readonly communities: readonly string[]
  /** Why the peer is not told; absent where it is, or will be. */
  readonly notSent?: string
}

export interface NeighborState {
  /** Of the BGPPeer. */
  readonly name: string
  readonly address: string
  /** Of an unnumbered peer, once it is found. */
  readonly linkLocal?: string
  readonly port: number
  readonly vrf?: string
  readonly localAsn: number
  /** `internal` or `external` until the peer has said. */
  readonly remoteAs: number | 'internal' | 'external'
  /** As in RFC 4271 section 8.2.2. */
  readonly state: string
  /** Since it is established. */
  readonly upMs?: number
  readonly localAddress?: string
  readonly peerRouterId?: string
  readonly peerHostname?: string
  readonly holdMs?: number
  readonly keepaliveMs?: number
  /** Agreed on. */
  readonly families?: readonly string[]
  /** Families whose routes have path identifiers (RFC 7911); absent where we do not offer it. */
  readonly addPath?: readonly string[]
  readonly establishedCount: number
  /** Why there is no session. */
  readonly missing?: string
  readonly lastClose?: { readonly reason: string; readonly agoMs: number }
  readonly sent: MessageCounts
  readonly received: MessageCounts
  readonly prefixesWanted: number
  readonly prefixesTold: number
  readonly prefixesReceived: number
  /** Absent where the peer has no BFD profile. */
  readonly bfd?: BfdState
  /** As configured. */
  readonly config: NeighborConfig
  readonly routes: readonly RouteState[]
}

/** `nowMs` is on the monotonic clock; `liveness` are the BFD sessions of the node. */
export function neighborState(
  session: PeerSession,
  nowMs: number,
  liveness: readonly LivenessStatus[] = [],
): NeighborState {
  const { peer, status } = session
  const bfd = bfdState(session.bfd, liveness)
  const { agreed, establishedAtMs, lastClose, local } = status
  return {
    name: peer.name,
    address: peerText(peer.endpoint),
    ...(peer.endpoint.interface && { linkLocal: formatAddress(peer.endpoint.address) }),
    port: peer.port,
    ...(peer.vrf && { vrf: peer.vrf }),
    localAsn: peer.localAsn ?? peer.myAsn,
    remoteAs: agreed?.peerAsn ?? peer.remoteAs,
    state: status.state,
    ...(establishedAtMs !== undefined && { upMs: nowMs - establishedAtMs }),
    ...(local && { localAddress: formatAddress(local.address) }),
    ...(agreed && {
      peerRouterId: formatAddress(agreed.peerIdentifier),
      peerHostname: agreed.peerHostname,
      holdMs: agreed.holdMs,
      keepaliveMs: agreed.keepaliveMs,
      families: agreed.families,
      ...(peer.maxPaths !== undefined && { addPath: agreed.wire.addPath }),
    }),
    establishedCount: status.establishedCount,
    ...(session.lostFor !== undefined && { missing: session.lostFor }),
    ...(lastClose && {
      lastClose: { reason: session.closedFor ?? describeClose(lastClose.reason), agoMs: nowMs - lastClose.atMs },
    }),
    sent: status.sent,
    received: status.received,
    prefixesWanted: status.wanted,
    prefixesTold: status.told,
    prefixesReceived: status.prefixesReceived,
    ...(bfd && { bfd }),
    config: neighborConfig(peer),
    routes: [...session.wantedRoutes()].sort(byPrefix).map(route => routeState(route, session)),
  }
}

/** A peer that there can be no session with now. */
export function missingState(peer: Peer, why: string): NeighborState {
  const counts = { open: 0, update: 0, notification: 0, keepalive: 0, 'route refresh': 0 }
  return {
    name: peer.name,
    address: peerText(peer.endpoint),
    port: peer.port,
    ...(peer.vrf && { vrf: peer.vrf }),
    localAsn: peer.localAsn ?? peer.myAsn,
    remoteAs: peer.remoteAs,
    state: 'idle',
    establishedCount: 0,
    missing: why,
    sent: counts,
    received: counts,
    ...{ prefixesWanted: 0, prefixesTold: 0, prefixesReceived: 0 },
    config: neighborConfig(peer),
    routes: [],
  }
}

/** `open sent` → `OpenSent`, as vtysh says it. */
export function stateWord(state: string): string {
  return state.replace(/(^| )./g, part => part.trim().toUpperCase())
}

function routeState({ prefix, attributes }: Route, session: PeerSession): RouteState {
  const { localPref, med, prepend, linkBandwidth, paths, communities } = attributes
  const takesPaths = session.status.agreed?.wire.addPath.includes(prefix.family)
  const reason = session.takes(prefix) ? session.reasonNotSent(prefix) : 'its family is not meant for the peer'
  return {
    prefix: formatPrefix(prefix),
    ...(localPref !== undefined && { localPref }),
    ...(med !== undefined && { med }),
    ...(prepend && { prepend }),
    ...(linkBandwidth !== undefined && { linkBandwidth }),
    ...(takesPaths && paths !== undefined && { paths }),
    communities: communities.map(formatCommunity),
    ...(reason !== undefined && { notSent: reason }),
  }
}

function byPrefix({ prefix: a }: { prefix: Prefix }, { prefix: b }: { prefix: Prefix }): number {
  if (a.family !== b.family) return a.family === 'ipv4' ? -1 : 1
  return a.network < b.network ? -1 : a.network > b.network ? 1 : a.length - b.length
}
