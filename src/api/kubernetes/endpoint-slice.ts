/** discovery.k8s.io/v1 EndpointSlice. */
import type { KubeObject, ResourceType } from '../../core/object.ts'
import type { Endpoint } from '../../core/service.ts'

export interface EndpointSliceResource extends KubeObject {
  addressType?: string
  endpoints?: {
    addresses?: string[]
    conditions?: { ready?: boolean; serving?: boolean; terminating?: boolean }
    nodeName?: string
    targetRef?: { kind?: string; namespace?: string; name?: string }
  }[]
  ports?: { name?: string; port?: number; protocol?: string }[]
}

export const endpointSlices: ResourceType<EndpointSliceResource> = {
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  namespaced: true,
}

/** The label that names the Service a slice belongs to. */
export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name'

/** One without an address serves nobody, whatever its conditions say (chapter 04 section 1.6). */
export function parseEndpoints(slice: EndpointSliceResource): Endpoint[] {
  return (slice.endpoints ?? []).map(({ addresses = [], conditions = {}, nodeName }) => ({
    addresses,
    nodeName,
    canServe: addresses.length > 0 && (conditions.ready !== false || conditions.serving === true),
  }))
}
