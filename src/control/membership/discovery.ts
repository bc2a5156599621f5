import type { PodResource } from '../../api/kubernetes/index.ts'
import type { Family } from '../../core/ip/index.ts'
import { parseAddress } from '../../core/ip/index.ts'

/** Addresses of the speakers on other nodes: pods that have an address of the family and have not ended (IMP-18). */
export function speakerAddresses(pods: readonly PodResource[], ownNode: string, family: Family): Set<string> {
  const addresses = new Set<string>()
  for (const { spec, status } of pods) {
    if (spec?.nodeName === ownNode || status?.phase === 'Succeeded' || status?.phase === 'Failed') continue
    const candidates = [...(status?.podIPs ?? []).map(({ ip }) => ip), status?.podIP ?? '']
    const address = candidates.find(text => parseAddress(text)?.family === family)
    if (address !== undefined) addresses.add(address)
  }
  return addresses
}
