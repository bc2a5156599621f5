/** Objects put onto a cluster, as `kubectl apply` would; what the API server would fill in is assumed. */
import type { ServiceResource } from '../../api/index.ts'
import { type KubeObject, objectKey } from '../../core/object.ts'
import type { Cluster } from '../explain/index.ts'

/**
 * The objects with those of the change in place of their namesakes. `$patch: delete` deletes. What only the cluster knows
 * (status, uid, age, cluster IPs) stays as it was.
 */
export function withChange(objects: readonly KubeObject[], change: readonly KubeObject[]): KubeObject[] {
  const result = new Map(objects.map(object => [identityOf(object), object]))
  for (const object of change) {
    const id = identityOf(object)
    if ('$patch' in object && object.$patch === 'delete') result.delete(id)
    else result.set(id, applied(result.get(id), object))
  }
  return [...result.values()]
}

function identityOf({ apiVersion = '', kind = '', metadata }: KubeObject): string {
  const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : ''
  return `${group} ${kind} ${objectKey(metadata)}`
}

function applied(before: KubeObject | undefined, object: KubeObject): KubeObject {
  if (before === undefined) return object
  const metadata = { ...before.metadata, ...object.metadata }
  if (object.kind !== 'Service') return { ...object, metadata }
  const { spec: old = {}, status } = before as ServiceResource
  const { spec = {} } = object as ServiceResource
  const { clusterIP = old.clusterIP, clusterIPs = old.clusterIPs, ipFamilies = old.ipFamilies } = spec
  const widened = (spec.ipFamilyPolicy ?? 'SingleStack') !== (old.ipFamilyPolicy ?? 'SingleStack')
  const families = widened ? {} : { clusterIP, clusterIPs, ipFamilies }
  return { ...object, metadata, spec: { ...spec, ...families }, status } as KubeObject
}

const YOUNGEST = '9999-12-31T23:59:59Z'
const UNKNOWN_IP: Readonly<Record<string, string>> = { IPv4: '0.0.0.0', IPv6: '::' }

/** Services with the cluster IPs and the age they would get: one of IPv4, or what their families say; younger than all others. */
export function withAssumedFields(cluster: Cluster): { cluster: Cluster; assumptions: string[] } {
  const assumptions: string[] = []
  const services = cluster.services.map(resource => {
    const { metadata, spec = {} } = resource
    const aged = { ...metadata, creationTimestamp: metadata.creationTimestamp ?? YOUNGEST }
    if (spec.clusterIP || spec.clusterIPs?.length || spec.type !== 'LoadBalancer')
      return { ...resource, metadata: aged }
    const families = spec.ipFamilies ?? (spec.ipFamilyPolicy === 'RequireDualStack' ? ['IPv4', 'IPv6'] : ['IPv4'])
    assumptions.push(`Service ${objectKey(metadata)} has no cluster IP yet: ${families.join(' and ')} is assumed`)
    const clusterIPs = families.map(family => UNKNOWN_IP[family] ?? '0.0.0.0')
    return { ...resource, metadata: aged, spec: { ...spec, clusterIPs } }
  })
  return { cluster: { ...cluster, services }, assumptions }
}
