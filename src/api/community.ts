/** metallb.io/v1beta1 Community: aliases for BGP communities, chapter 01 section 1.7. */
import type { KubeObject, ResourceType } from '../core/object.ts'
import { crdVersion, defineCrd, list, NO_STATUS, record, text } from './schema.ts'

export interface CommunityResource extends KubeObject {
  spec?: { communities?: { name?: string; value?: string }[] }
}

export const communities: ResourceType<CommunityResource> = {
  group: 'metallb.io',
  version: 'v1beta1',
  kind: 'Community',
  plural: 'communities',
  namespaced: true,
}

const alias = record(
  {
    name: text('The alias.'),
    value: text('The community: A:B, or large:A:B:C for a large one.'),
  },
  'One alias.',
)

export const communityCrd = defineCrd(communities, [
  crdVersion('v1beta1', true, {
    description: 'Names for BGP communities, usable in every BGPAdvertisement.',
    properties: {
      spec: record({ communities: list(alias, 'The aliases; unique over all Community objects.') }, 'The aliases.'),
      status: NO_STATUS,
    },
  }),
])
