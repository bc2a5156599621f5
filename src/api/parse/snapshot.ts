/** What configuration is made of. */
import type { BFDProfileResource } from '../bfd-profile.ts'
import type { BGPAdvertisementResource } from '../bgp-advertisement.ts'
import type { BGPPeerResource } from '../bgp-peer.ts'
import type { CommunityResource } from '../community.ts'
import type { IPAddressPoolResource } from '../ip-address-pool.ts'
import type { ConfigMapResource, NamespaceResource, NodeResource, SecretResource } from '../kubernetes/index.ts'
import type { L2AdvertisementResource } from '../l2-advertisement.ts'

/**
 * The objects of the MetalLB namespace, and of the cluster, at one moment. Absent is what the process does not load
 * (chapter 01 section 2.1): references to it are not checked. The order of no list matters.
 */
export interface ConfigSnapshot {
  readonly pools?: readonly IPAddressPoolResource[]
  readonly l2Advertisements?: readonly L2AdvertisementResource[]
  readonly communities?: readonly CommunityResource[]
  readonly nodes?: readonly NodeResource[]
  readonly namespaces?: readonly NamespaceResource[]
  readonly peers?: readonly BGPPeerResource[]
  readonly bgpAdvertisements?: readonly BGPAdvertisementResource[]
  readonly bfdProfiles?: readonly BFDProfileResource[]
  readonly secrets?: readonly SecretResource[]
  readonly configMaps?: readonly ConfigMapResource[]
}

/** `METALLB_BGP_TYPE`. */
export type BgpMode = 'native' | 'frr' | 'frr-k8s'

export interface ParseOptions {
  /** Absent: no rules of a mode, as in a controller with an unknown value. */
  readonly mode?: BgpMode
  /** Native mode refuses what the reference's native mode refused (decision 3). */
  readonly strictNative?: boolean
  /** The node of this speaker: peers and BGP advertisements for other nodes are not loaded. Absent: all are. */
  readonly node?: string
  /** frr-k8s reads the Secrets of peers itself; they are not looked up. */
  readonly secretPassThrough?: boolean
}

/** Names and labels: all that selectors look at. */
export interface Labelled {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}
