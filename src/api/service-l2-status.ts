/** metallb.io/v1beta1 ServiceL2Status: which node answers for a service, chapter 01 section 1.8. */
import type { KubeObject, ResourceType } from '../core/object.ts'
import { crdVersion, defineCrd, IMMUTABLE, list, record, text } from './schema.ts'

export interface ServiceL2StatusResource extends KubeObject {
  spec?: Record<string, never>
  status?: {
    node?: string
    serviceName?: string
    serviceNamespace?: string
    /** Absent when every interface is used. */
    interfaces?: { name: string }[]
  }
}

export const serviceL2Statuses: ResourceType<ServiceL2StatusResource> = {
  group: 'metallb.io',
  version: 'v1beta1',
  kind: 'ServiceL2Status',
  plural: 'servicel2statuses',
  namespaced: true,
}

const status = record(
  {
    interfaces: list(
      record({ name: text('Name of the interface.') }, 'An interface.'),
      'Interfaces the address is announced from; absent when all are used.',
    ),
    node: text('The node that answers for the service.', IMMUTABLE),
    serviceName: text('Name of the service.', IMMUTABLE),
    serviceNamespace: text('Namespace of the service.', IMMUTABLE),
  },
  'Who announces the service; written by the speaker.',
)

export const serviceL2StatusCrd = defineCrd(serviceL2Statuses, [
  crdVersion('v1beta1', true, {
    description: 'Tells which node announces a service in layer 2 mode.',
    properties: { spec: { type: 'object', description: 'Not used.' }, status },
    columns: [
      { name: 'Allocated Node', type: 'string', jsonPath: '.status.node' },
      { name: 'Service Name', type: 'string', jsonPath: '.status.serviceName' },
      { name: 'Service Namespace', type: 'string', jsonPath: '.status.serviceNamespace' },
    ],
  }),
])
