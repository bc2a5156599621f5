/** metallb.io/v1beta1 BGPAdvertisement, chapter 01 section 1.4. */
import type { LabelSelector } from '../core/labels.ts'
import type { KubeObject, ResourceType } from '../core/object.ts'
import { crdVersion, defineCrd, int32, NO_STATUS, record, selectors, texts } from './schema.ts'

export interface BGPAdvertisementResource extends KubeObject {
  /** Absent: every pool to every peer from every node, address by address. */
  spec?: {
    aggregationLength?: number
    aggregationLengthV6?: number
    localPref?: number
    communities?: string[]
    ipAddressPools?: string[]
    ipAddressPoolSelectors?: LabelSelector[]
    nodeSelectors?: LabelSelector[]
    peers?: string[]
    serviceSelectors?: LabelSelector[]
  }
}

export const bgpAdvertisements: ResourceType<BGPAdvertisementResource> = {
  group: 'metallb.io',
  version: 'v1beta1',
  kind: 'BGPAdvertisement',
  plural: 'bgpadvertisements',
  namespaced: true,
}

const NO_AGGREGATION_OF_CHOSEN_SERVICES = {
  rule:
    '!has(self.serviceSelectors) || self.serviceSelectors.size() == 0 || ' +
    '((!has(self.aggregationLength) || self.aggregationLength == 32) && ' +
    '(!has(self.aggregationLengthV6) || self.aggregationLengthV6 == 128))',
  message:
    'serviceSelectors and aggregationLength are mutually exclusive, ' +
    'can only be used together with default aggregationLength (32) and aggregationLengthV6 (128)',
}

const spec = record(
  {
    aggregationLength: int32('Length of the IPv4 prefix announced for an address.', { default: 32, minimum: 1 }),
    aggregationLengthV6: int32('Length of the IPv6 prefix announced for an address.', { default: 128 }),
    communities: texts('BGP communities to attach: A:B, large:A:B:C, or an alias of a Community.'),
    ipAddressPoolSelectors: selectors('Pools to announce, by label.'),
    ipAddressPools: texts('Pools to announce, by name. Without names and selectors every pool is announced.'),
    localPref: int32('LOCAL_PREF attribute for peers in the same AS.'),
    nodeSelectors: selectors('Nodes that announce; empty means every node.'),
    peers: texts('Names of the BGPPeers to announce to; empty means every peer.'),
    serviceSelectors: selectors('Only services with matching labels; empty means every service.'),
  },
  'Which pools are announced, to whom, from where and how.',
  { 'x-kubernetes-validations': [NO_AGGREGATION_OF_CHOSEN_SERVICES] },
)

export const bgpAdvertisementCrd = defineCrd(bgpAdvertisements, [
  crdVersion('v1beta1', true, {
    description: 'Announces addresses of pools to BGP peers.',
    properties: { spec, status: NO_STATUS },
    columns: [
      { name: 'IPAddressPools', type: 'string', jsonPath: '.spec.ipAddressPools' },
      { name: 'IPAddressPool Selectors', type: 'string', jsonPath: '.spec.ipAddressPoolSelectors' },
      { name: 'Peers', type: 'string', jsonPath: '.spec.peers' },
      { name: 'Node Selectors', type: 'string', jsonPath: '.spec.nodeSelectors', priority: 10 },
    ],
  }),
])
