/** core/v1 Service: the fields this project reads or writes, and how it becomes a domain Service. */
import { type Family, parseAddress } from '../../core/ip/index.ts'
import { type KubeObject, objectKey, type ResourceType } from '../../core/object.ts'
import type { IPFamilyPolicy, Service } from '../../core/service.ts'

export interface IngressResource {
  ip?: string
  hostname?: string
  ipMode?: string
  ports?: { port: number; protocol: string; error?: string }[]
}

export interface ServiceResource extends KubeObject {
  spec?: {
    type?: string
    loadBalancerClass?: string
    loadBalancerIP?: string
    clusterIP?: string
    clusterIPs?: string[]
    ipFamilies?: string[]
    ipFamilyPolicy?: string
    ports?: { name?: string; protocol?: string; port: number; targetPort?: number | string; nodePort?: number }[]
    selector?: Record<string, string>
    externalTrafficPolicy?: string
    publishNotReadyAddresses?: boolean
  }
  status?: {
    loadBalancer?: { ingress?: IngressResource[] }
    conditions?: { type: string; status: string; reason: string; message: string; lastTransitionTime: string }[]
  }
}

export const services: ResourceType<ServiceResource> = {
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  namespaced: true,
}

const FAMILIES: Readonly<Record<string, Family>> = { IPv4: 'ipv4', IPv6: 'ipv6' }

export function parseService(resource: ServiceResource): Service {
  const { metadata, spec = {}, status = {} } = resource
  const namespace = metadata.namespace ?? ''
  return {
    key: objectKey({ namespace, name: metadata.name }),
    namespace,
    name: metadata.name,
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
    created: metadata.creationTimestamp ?? '',
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    type: spec.type ?? 'ClusterIP',
    loadBalancerClass: spec.loadBalancerClass,
    clusterIPs: spec.clusterIPs?.length ? spec.clusterIPs : spec.clusterIP ? [spec.clusterIP] : [],
    ipFamilyPolicy: (spec.ipFamilyPolicy ?? 'SingleStack') as IPFamilyPolicy,
    primaryFamily: FAMILIES[spec.ipFamilies?.[0] ?? ''],
    ports: (spec.ports ?? []).map(({ protocol = 'TCP', port }) => ({ protocol, port })),
    localTrafficPolicy: spec.externalTrafficPolicy === 'Local',
    selector: spec.selector ?? {},
    loadBalancerIP: spec.loadBalancerIP ?? '',
    ingress: (status.loadBalancer?.ingress ?? []).map(({ ip = '' }) => ({ text: ip, address: parseAddress(ip) })),
  }
}
