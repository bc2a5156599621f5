/** Every kind that we define as the API server wants it; tools/generate-crds.ts writes deploy/crds from it. */
import { bfdProfileCrd } from './bfd-profile.ts'
import { bgpAdvertisementCrd } from './bgp-advertisement.ts'
import { bgpPeerCrd } from './bgp-peer.ts'
import { bgpSessionStateCrd } from './bgp-session-state.ts'
import { communityCrd } from './community.ts'
import { configurationStateCrd } from './configuration-state.ts'
import { ipAddressPoolCrd } from './ip-address-pool.ts'
import { l2AdvertisementCrd } from './l2-advertisement.ts'
import type { CustomResourceDefinition } from './schema.ts'
import { serviceBGPStatusCrd } from './service-bgp-status.ts'
import { serviceL2StatusCrd } from './service-l2-status.ts'

export const crds: readonly CustomResourceDefinition[] = [
  bfdProfileCrd,
  bgpAdvertisementCrd,
  bgpPeerCrd,
  bgpSessionStateCrd,
  communityCrd,
  configurationStateCrd,
  ipAddressPoolCrd,
  l2AdvertisementCrd,
  serviceBGPStatusCrd,
  serviceL2StatusCrd,
]
