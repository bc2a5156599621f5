/** What a ServiceL2Status or ServiceBGPStatus should say (chapter 01 section 5.1, chapter 03 section 5.2). */
import type { Hash } from '../../core/election/index.ts'
import type { KubeObject, ObjectMeta, OwnerReference } from '../../core/object.ts'

export const NODE_LABEL = 'metallb.io/node'
export const NAME_LABEL = 'metallb.io/service-name'
export const NAMESPACE_LABEL = 'metallb.io/service-namespace'

/** What the kinds have in common. */
export interface ServiceStatusResource extends KubeObject {
  spec?: Record<string, never>
  status?: { node?: string; serviceName?: string; serviceNamespace?: string }
}

export interface Desired {
  readonly labels: Readonly<Record<string, string>>
  readonly owner: OwnerReference
  readonly status: Required<NonNullable<ServiceStatusResource['status']>>
}

const LONGEST_LABEL = 63

/** The node name, or, where it is too long for a label value, its beginning and a hash (REF-BUG 19). */
export function nodeLabel(node: string, hash: Hash): string {
  if (node.length <= LONGEST_LABEL) return node
  const digest = [...hash(node).subarray(0, 5)].map(byte => byte.toString(16).padStart(2, '0')).join('')
  return `${node.slice(0, LONGEST_LABEL - 11)}-${digest}`
}

/** Whether the object needs no write. A field that must be absent is null in what is desired. */
export function isAsDesired({ metadata, status = {} }: ServiceStatusResource, desired: Desired): boolean {
  const known: Readonly<Record<string, unknown>> = { ...status }
  return (
    ownedBy(metadata, desired.owner) &&
    Object.entries(desired.labels).every(([key, value]) => metadata.labels?.[key] === value) &&
    Object.entries(desired.status).every(([key, value]) => JSON.stringify(known[key] ?? null) === JSON.stringify(value))
  )
}

/** Once set, the three names in the status never change (chapter 01 section 1.8). */
export function canBecome({ status = {} }: ServiceStatusResource, { status: wanted }: Desired): boolean {
  return (['node', 'serviceName', 'serviceNamespace'] as const).every(
    field => status[field] === undefined || status[field] === wanted[field],
  )
}

function ownedBy({ ownerReferences = [] }: ObjectMeta, owner: OwnerReference): boolean {
  return ownerReferences.length === 1 && ownerReferences[0]!.uid === owner.uid
}
