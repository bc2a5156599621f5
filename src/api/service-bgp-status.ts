/** metallb.io/v1beta1 ServiceBGPStatus: to which peers a node announces a service, chapter 01 section 1.9. */
import type { KubeObject, ResourceType } from '../core/object.ts'
import { crdVersion, defineCrd, IMMUTABLE, record, text, texts } from './schema.ts'

export interface ServiceBGPStatusResource extends KubeObject {
  spec?: Record<string, never>
  status?: {
    node?: string
    serviceName?: string
    serviceNamespace?: string
    /** Names of BGPPeers, ascending. */
    peers?: string[]
  }
}

export const serviceBGPStatuses: ResourceType<ServiceBGPStatusResource> = {
  group: 'metallb.io',
  version: 'v1beta1',
  kind: 'ServiceBGPStatus',
  plural: 'servicebgpstatuses',
  namespaced: true,
}

const status = record(
  {
    node: text('The announcing node.', IMMUTABLE),
    peers: texts('Names of the BGPPeers the service is meant to be announced to from the node.'),
    serviceName: text('Name of the service.', IMMUTABLE),
    serviceNamespace: text('Namespace of the service.', IMMUTABLE),
  },
  'Who announces the service to whom; written by the speaker.',
)

export const serviceBGPStatusCrd = defineCrd(serviceBGPStatuses, [
  crdVersion('v1beta1', true, {
    description: 'Tells to which peers a node announces a service.',
    properties: { spec: { type: 'object', description: 'Not used.' }, status },
    columns: [
      { name: 'Node', type: 'string', jsonPath: '.status.node' },
      { name: 'Service Name', type: 'string', jsonPath: '.status.serviceName' },
      { name: 'Service Namespace', type: 'string', jsonPath: '.status.serviceNamespace' },
    ],
  }),
])
