/** metallb.io/v1beta1 L2Advertisement, chapter 01 section 1.3. */
import type { LabelSelector } from '../core/labels.ts'
import type { KubeObject, ResourceType } from '../core/object.ts'
import { crdVersion, defineCrd, int32, list, NO_STATUS, record, selector, selectors, texts } from './schema.ts'

export interface PreferredNodeSelector {
  /** 1 to 100. */
  weight: number
  preference: LabelSelector
}

export interface L2AdvertisementResource extends KubeObject {
  /** Absent: every pool from every node on every interface. */
  spec?: {
    ipAddressPools?: string[]
    ipAddressPoolSelectors?: LabelSelector[]
    nodeSelectors?: LabelSelector[]
    interfaces?: string[]
    serviceSelectors?: LabelSelector[]
    preferredNodeSelectors?: PreferredNodeSelector[]
  }
}

export const l2Advertisements: ResourceType<L2AdvertisementResource> = {
  group: 'metallb.io',
  version: 'v1beta1',
  kind: 'L2Advertisement',
  plural: 'l2advertisements',
  namespaced: true,
}

const preferredNodeSelector = record(
  {
    preference: selector('The nodes that get the weight; {} is every node.'),
    weight: int32('Weight of a matching node.', { minimum: 1, maximum: 100 }),
  },
  'A preference for some nodes in the election of the announcing node.',
  { required: ['preference', 'weight'] },
)

const spec = record(
  {
    interfaces: texts('Names of the interfaces to announce from; empty means every interface.'),
    ipAddressPoolSelectors: selectors('Pools to announce, by label.'),
    ipAddressPools: texts('Pools to announce, by name. Without names and selectors every pool is announced.'),
    nodeSelectors: selectors('Nodes that may announce; empty means every node.'),
    preferredNodeSelectors: list(
      preferredNodeSelector,
      'Nodes that should rather announce than others; weights add up.',
    ),
    serviceSelectors: selectors('Only services with matching labels; empty means every service.'),
  },
  'Which pools are announced, from where and for which services.',
)

export const l2AdvertisementCrd = defineCrd(l2Advertisements, [
  crdVersion('v1beta1', true, {
    description: 'Announces addresses of pools on the local network, by ARP and NDP.',
    properties: { spec, status: NO_STATUS },
    columns: [
      { name: 'IPAddressPools', type: 'string', jsonPath: '.spec.ipAddressPools' },
      { name: 'IPAddressPool Selectors', type: 'string', jsonPath: '.spec.ipAddressPoolSelectors' },
      { name: 'Interfaces', type: 'string', jsonPath: '.spec.interfaces' },
      { name: 'Node Selectors', type: 'string', jsonPath: '.spec.nodeSelectors', priority: 10 },
    ],
  }),
])
