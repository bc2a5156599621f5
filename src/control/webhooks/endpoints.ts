/** Which kind is reviewed where, and what it is looked at together with: chapter 01 sections 4.2 and 4.3. */
import {
  bgpAdvertisements,
  bgpPeers,
  type ConfigSnapshot,
  communities,
  ipAddressPools,
  l2Advertisements,
  nodes,
} from '../../api/index.ts'
import type { KubeObject, ResourceType } from '../../core/object.ts'

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE'

export interface Endpoint {
  readonly kind: string
  /** What API servers are asked to send. */
  readonly operations: readonly Operation[]
  /** The list that the reviewed object belongs to; absent: its content is not looked at. */
  readonly own?: Lists
  /** Everything not listed is treated as absent. */
  readonly reads: readonly Lists[]
}

/** The lists of a snapshot that reviews read. */
export type Lists = keyof ConfigSnapshot & keyof typeof TYPES

export const TYPES = {
  pools: ipAddressPools,
  peers: bgpPeers,
  bgpAdvertisements,
  l2Advertisements,
  communities,
  nodes,
} as const satisfies Partial<Record<keyof ConfigSnapshot, ResourceType<KubeObject>>>

const WRITES = ['CREATE', 'UPDATE'] as const

export const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  '/validate-metallb-io-v1beta1-ipaddresspool': {
    kind: 'IPAddressPool',
    operations: WRITES,
    own: 'pools',
    reads: ['pools'],
  },
  '/validate-metallb-io-v1beta2-bgppeer': {
    kind: 'BGPPeer',
    operations: WRITES,
    own: 'peers',
    reads: ['peers', 'nodes'],
  },
  '/validate-metallb-io-v1beta1-bgpadvertisement': {
    kind: 'BGPAdvertisement',
    operations: WRITES,
    own: 'bgpAdvertisements',
    reads: ['bgpAdvertisements', 'pools', 'nodes'],
  },
  '/validate-metallb-io-v1beta1-l2advertisement': {
    kind: 'L2Advertisement',
    operations: WRITES,
    own: 'l2Advertisements',
    reads: ['l2Advertisements', 'pools'],
  },
  '/validate-metallb-io-v1beta1-community': {
    kind: 'Community',
    operations: WRITES,
    own: 'communities',
    reads: ['communities'],
  },
  '/validate-metallb-io-v1beta1-bfdprofile': { kind: 'BFDProfile', operations: ['CREATE', 'DELETE'], reads: ['peers'] },
}

export const CONVERSION_PATH = '/convert'
