import type { PodResource } from '../../api/kubernetes/index.ts'
import type { Family } from '../../core/ip/index.ts'
import { parseAddress } from '../../core/ip/index.ts'
import type { Informer } from '../../ports/index.ts'

/** Where the other speakers are: their pods (an informer limited to namespace and labels), or a fixed list. */
export type Peers = { readonly pods: Informer<PodResource>; readonly family: Family } | readonly string[]

/** Tells where the other speakers are, now and at every change, until the answer is called. */
export function followSpeakers(
  peers: Peers,
  ownNode: string,
  found: (addresses: ReadonlySet<string>) => void,
): () => void {
  if (!('pods' in peers)) {
    found(new Set(peers))
    return () => {}
  }
  const { pods, family } = peers
  const look = () => found(speakerAddresses(pods.list(), ownNode, family))
  let stop = () => {}
  let stopped = false
  void pods.whenSynced().then(() => {
    if (stopped) return
    let replays = true // each pod that is there already
    stop = pods.subscribe(() => replays || look())
    replays = false
    look()
  })
  return () => {
    stopped = true
    stop()
  }
}

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
