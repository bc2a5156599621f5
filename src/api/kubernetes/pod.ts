/** core/v1 Pod, Secret and Event, coordination.k8s.io/v1 Lease: as far as this project reads or writes them. */
import type { KubeObject, ResourceType } from '../../core/object.ts'

export interface PodResource extends KubeObject {
  spec?: { nodeName?: string }
  status?: { phase?: string; podIP?: string; podIPs?: { ip: string }[] }
}

export const pods: ResourceType<PodResource> = {
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  namespaced: true,
}

export interface SecretResource extends KubeObject {
  type?: string
  /** Values in base64. */
  data?: Record<string, string>
}

export const secrets: ResourceType<SecretResource> = {
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  namespaced: true,
}

export interface EventResource extends KubeObject {
  involvedObject: {
    apiVersion?: string
    kind?: string
    namespace?: string
    name?: string
    uid?: string
    resourceVersion?: string
  }
  reason?: string
  message?: string
  type?: string
  count?: number
  firstTimestamp?: string
  lastTimestamp?: string
  source?: { component?: string; host?: string }
  reportingComponent?: string
  reportingInstance?: string
}

export const events: ResourceType<EventResource> = {
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  namespaced: true,
}

export interface LeaseResource extends KubeObject {
  spec?: {
    holderIdentity?: string
    leaseDurationSeconds?: number
    /** RFC 3339 with microseconds. */
    acquireTime?: string
    renewTime?: string
    leaseTransitions?: number
  }
}

export const leases: ResourceType<LeaseResource> = {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
}

export interface ConfigMapResource extends KubeObject {
  data?: Record<string, string>
}

export const configMaps: ResourceType<ConfigMapResource> = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
}
