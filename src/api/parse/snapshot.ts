/** What configuration is made of. */
import type { CommunityResource } from '../community.ts'
import type { IPAddressPoolResource } from '../ip-address-pool.ts'
import type { NamespaceResource, NodeResource } from '../kubernetes/index.ts'
import type { L2AdvertisementResource } from '../l2-advertisement.ts'

/**
 * The objects of the MetalLB namespace, and of the cluster, at one moment. Absent is what the process does not load
 * (chapter 01 section 2.1); nothing absent is checked. The order of no list matters.
 */
export interface ConfigSnapshot {
  readonly pools?: readonly IPAddressPoolResource[]
  readonly l2Advertisements?: readonly L2AdvertisementResource[]
  readonly communities?: readonly CommunityResource[]
  readonly nodes?: readonly NodeResource[]
  readonly namespaces?: readonly NamespaceResource[]
}

/** Names and labels: all that selectors look at. */
export interface Labelled {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}
