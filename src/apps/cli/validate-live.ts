/** The configuration of a cluster, as far as the user may read it. */
import {
  bfdProfiles,
  bgpAdvertisements,
  bgpPeers,
  communities,
  configMaps,
  ipAddressPools,
  l2Advertisements,
  namespaces,
  nodes,
  secrets,
} from '../../api/index.ts'
import { apiVersionOf, type KubeObject, type ResourceType } from '../../core/object.ts'
import { type KubeApi, KubeError } from '../../ports/index.ts'

export interface Live {
  readonly objects: readonly KubeObject[]
  /** Kinds that the user may not list, or the cluster does not have. */
  readonly unread: readonly string[]
}

const NEEDED = [ipAddressPools, l2Advertisements, communities, nodes, namespaces] as readonly ResourceType[]
const OPTIONAL = [bgpPeers, bgpAdvertisements, bfdProfiles, secrets, configMaps] as readonly ResourceType[]

/** @throws KubeError */
export async function readLive(kube: Pick<KubeApi, 'list'>, namespace: string): Promise<Live> {
  const unread: string[] = []
  const read = async (type: ResourceType): Promise<KubeObject[]> => {
    const objects = await kube.list(type, type.namespaced ? { namespace } : {})
    return objects.map(object => ({ ...object, apiVersion: apiVersionOf(type), kind: type.kind }))
  }
  const attempt = (type: ResourceType) =>
    read(type).catch(error => {
      if (!(error instanceof KubeError && (error.code === 'FORBIDDEN' || error.code === 'NOT_FOUND'))) throw error
      unread.push(type.kind)
      return []
    })
  const lists = await Promise.all([...NEEDED.map(read), ...OPTIONAL.map(attempt)])
  return { objects: lists.flat(), unread: unread.sort() }
}
