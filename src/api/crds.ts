/** Every kind of the group metallb.io as the API server wants it; `tools/generate-crds.ts` writes deploy/crds from this. */
import { communityCrd } from './community.ts'
import { configurationStateCrd } from './configuration-state.ts'
import { ipAddressPoolCrd } from './ip-address-pool.ts'
import { l2AdvertisementCrd } from './l2-advertisement.ts'
import type { CustomResourceDefinition } from './schema.ts'
import { serviceL2StatusCrd } from './service-l2-status.ts'

export const crds: readonly CustomResourceDefinition[] = [
  communityCrd,
  configurationStateCrd,
  ipAddressPoolCrd,
  l2AdvertisementCrd,
  serviceL2StatusCrd,
]
