/** What is wrong with the configuration, as a notice on each object that is at fault. */

import {
  bfdProfiles,
  bgpAdvertisements,
  bgpPeers,
  communities,
  ipAddressPools,
  l2Advertisements,
} from '../../api/index.ts'
import type { Problem } from '../../core/config/index.ts'
import { apiVersionOf, type KubeObject } from '../../core/object.ts'
import type { Informer } from '../../ports/index.ts'
import type { ConfigSources } from '../config/index.ts'
import type { Notice } from './told.ts'

/** The API stores at most so many characters. */
const MAX_MESSAGE = 1024

const KINDS = {
  IPAddressPool: { source: 'pools', type: ipAddressPools },
  Community: { source: 'communities', type: communities },
  L2Advertisement: { source: 'l2Advertisements', type: l2Advertisements },
  BGPAdvertisement: { source: 'bgpAdvertisements', type: bgpAdvertisements },
  BGPPeer: { source: 'peers', type: bgpPeers },
  BFDProfile: { source: 'bfdProfiles', type: bfdProfiles },
} as const

export function rejections(problems: readonly Problem[], sources: ConfigSources): Notice[] {
  const byObject = new Map<string, Problem[]>()
  for (const problem of problems) {
    if (problem.severity !== 'error') continue
    const key = `${problem.kind} ${problem.namespace} ${problem.name}`
    byObject.set(key, [...(byObject.get(key) ?? []), problem])
  }
  return [...byObject.values()].flatMap(ofOne => rejection(ofOne, sources))
}

/** Empty for kinds that are not MetalLB's. */
function rejection(problems: readonly Problem[], sources: ConfigSources): Notice[] {
  const [{ kind, namespace, name }] = problems as [Problem]
  if (!Object.hasOwn(KINDS, kind)) return []
  const { source, type } = KINDS[kind as keyof typeof KINDS]
  const object = (sources[source] as Informer<KubeObject> | undefined)?.get({ namespace, name })
  const { uid, resourceVersion } = object?.metadata ?? {}
  const on = { apiVersion: apiVersionOf(type), kind, namespace, name, uid, resourceVersion }
  const faults = problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ')
  const message = `the last valid configuration stays in force: ${faults}`
  return [{ on, reason: 'configRejected', message: message.slice(0, MAX_MESSAGE) }]
}
