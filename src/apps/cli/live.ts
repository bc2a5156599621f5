/** What the commands read from a live cluster. */
import { type Access, Connection, KubeClient, loadAccess } from '../../adapters/kube/index.ts'
import { systemClock as clock } from '../../adapters/system/clock.ts'
import { systemRandom as random } from '../../adapters/system/random.ts'
import {
  bfdProfiles,
  bgpAdvertisements,
  bgpPeers,
  communities,
  configurationStates,
  endpointSlices,
  ipAddressPools,
  l2Advertisements,
  namespaces,
  nodes,
  pods,
  serviceL2Statuses,
  services,
} from '../../api/index.ts'
import type { Cluster } from '../../control/explain/index.ts'
import type { KubeObject, ResourceType } from '../../core/object.ts'
import { KubeError } from '../../ports/index.ts'

/** The cluster of the kubeconfig, and what opens it. @throws CredentialsError */
export async function openCluster(kubeconfig: string | undefined): Promise<{ access: Access; kube: KubeClient }> {
  const access = await loadAccess({ kubeconfig })
  return { access, kube: new KubeClient(new Connection({ access, clock }), random) }
}

/** @throws CredentialsError */
export async function connect(kubeconfig: string | undefined): Promise<KubeClient> {
  return (await openCluster(kubeconfig)).kube
}

/** Reads with the user's rights: what they may not list of the optional kinds counts as unknown. @throws KubeError */
export async function readCluster(kube: KubeClient, namespace: string): Promise<Cluster> {
  const optional = async <T extends KubeObject>(type: ResourceType<T>): Promise<T[] | undefined> => {
    try {
      return await kube.list(type, { namespace })
    } catch (error) {
      if (error instanceof KubeError && (error.code === 'FORBIDDEN' || error.code === 'NOT_FOUND')) return undefined
      throw error
    }
  }
  const [pools, l2, community, node, ns, service, slices, pod, statuses, peers, bgp, bfd, states] = await Promise.all([
    kube.list(ipAddressPools, { namespace }),
    kube.list(l2Advertisements, { namespace }),
    kube.list(communities, { namespace }),
    kube.list(nodes),
    kube.list(namespaces),
    kube.list(services),
    kube.list(endpointSlices),
    optional(pods),
    optional(serviceL2Statuses),
    optional(bgpPeers),
    optional(bgpAdvertisements),
    optional(bfdProfiles),
    optional(configurationStates),
  ])
  const config = { pools, l2Advertisements: l2, communities: community, nodes: node, namespaces: ns }
  return {
    snapshot: { ...config, peers, bgpAdvertisements: bgp, bfdProfiles: bfd },
    services: service,
    endpointSlices: slices,
    pods: pod,
    l2Statuses: statuses ?? [],
    configurationStates: states,
  }
}
