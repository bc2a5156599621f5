/** What a ServiceL2Status should say (chapter 01 section 5.1, chapter 03 section 5.2). */
import type { ServiceL2StatusResource } from '../../api/service-l2-status.ts'
import type { Hash } from '../../core/election/index.ts'
import type { ObjectMeta, OwnerReference } from '../../core/object.ts'

export const NODE_LABEL = 'metallb.io/node'
export const NAME_LABEL = 'metallb.io/service-name'
export const NAMESPACE_LABEL = 'metallb.io/service-namespace'

export interface Desired {
  readonly labels: Readonly<Record<string, string>>
  readonly owner: OwnerReference
  readonly status: NonNullable<ServiceL2StatusResource['status']>
}

const LONGEST_LABEL = 63

/** The node name, or, where it is too long for a label value, its beginning and a hash (REF-BUG 19). */
export function nodeLabel(node: string, hash: Hash): string {
  if (node.length <= LONGEST_LABEL) return node
  const digest = [...hash(node).subarray(0, 5)].map(byte => byte.toString(16).padStart(2, '0')).join('')
  return `${node.slice(0, LONGEST_LABEL - 11)}-${digest}`
}

/** Whether the object needs no write; interfaces are compared in order, ours are sorted (REF-BUG 17). */
export function isAsDesired({ metadata, status = {} }: ServiceL2StatusResource, desired: Desired): boolean {
  const { node, serviceName, serviceNamespace, interfaces = [] } = status
  const wanted = desired.status
  return (
    ownedBy(metadata, desired.owner) &&
    Object.entries(desired.labels).every(([key, value]) => metadata.labels?.[key] === value) &&
    node === wanted.node &&
    serviceName === wanted.serviceName &&
    serviceNamespace === wanted.serviceNamespace &&
    interfaces.map(({ name }) => name).join() === (wanted.interfaces ?? []).map(({ name }) => name).join()
  )
}

/** Once set, the three names in the status never change (chapter 01 section 1.8). */
export function canBecome({ status = {} }: ServiceL2StatusResource, { status: wanted }: Desired): boolean {
  return (['node', 'serviceName', 'serviceNamespace'] as const).every(
    field => status[field] === undefined || status[field] === wanted[field],
  )
}

function ownedBy({ ownerReferences = [] }: ObjectMeta, owner: OwnerReference): boolean {
  return ownerReferences.length === 1 && ownerReferences[0]!.uid === owner.uid
}
