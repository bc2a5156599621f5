/** The fields of a Service (core/v1), so that a wrong name or type in one is refused as by a real server. */
import type { Schema } from './schema.ts'

const string: Schema = { type: 'string' }
const boolean: Schema = { type: 'boolean' }
const int32: Schema = { type: 'integer', format: 'int32' }
const strings: Schema = { type: 'array', items: string }
const open: Schema = { 'x-kubernetes-preserve-unknown-fields': true }

const port: Schema = {
  type: 'object',
  properties: {
    name: string,
    protocol: { type: 'string', default: 'TCP' },
    appProtocol: string,
    port: int32,
    targetPort: { 'x-kubernetes-int-or-string': true },
    nodePort: int32,
  },
}

const spec: Schema = {
  type: 'object',
  properties: {
    ports: {
      type: 'array',
      items: port,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['port', 'protocol'],
    },
    selector: { type: 'object', nullable: true, additionalProperties: string },
    clusterIP: string,
    clusterIPs: strings,
    type: string,
    externalIPs: strings,
    sessionAffinity: string,
    loadBalancerIP: string,
    loadBalancerSourceRanges: strings,
    externalName: string,
    externalTrafficPolicy: string,
    healthCheckNodePort: int32,
    publishNotReadyAddresses: boolean,
    sessionAffinityConfig: open,
    ipFamilies: strings,
    ipFamilyPolicy: string,
    allocateLoadBalancerNodePorts: boolean,
    loadBalancerClass: string,
    internalTrafficPolicy: string,
    trafficDistribution: string,
  },
}

export const SERVICE_SCHEMA: Schema = {
  type: 'object',
  description: 'Service is a named abstraction of software service (for example, mysql).',
  properties: { spec, status: { type: 'object', ...open } },
}
