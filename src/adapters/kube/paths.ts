/** Where the API serves a kind: https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris */
import { apiVersionOf, type ObjectRef, type ResourceType } from '../../core/object.ts'
import { KubeError } from '../../ports/index.ts'

export type Query = Readonly<Record<string, string | number | boolean | undefined>>

/** All objects of the kind, or those of one namespace. */
export function collectionPath(type: ResourceType, namespace?: string): string {
  const root = type.group === '' ? '/api' : '/apis'
  const scope = type.namespaced && namespace ? `/namespaces/${segment(type, 'namespace', namespace)}` : ''
  return `${root}/${apiVersionOf(type)}${scope}/${type.plural}`
}

/** One object. An empty name is refused here: with DELETE it would mean the whole collection. */
export function objectPath(type: ResourceType, ref: ObjectRef, subresource?: string): string {
  const namespace = type.namespaced ? segment(type, 'namespace', ref.namespace) : undefined
  const path = `${collectionPath(type, namespace)}/${segment(type, 'name', ref.name)}`
  return subresource === undefined ? path : `${path}/${subresource}`
}

/** With a leading `?`, or empty; undefined and empty values are left out. */
export function formatQuery(query: Query): string {
  const parts = Object.entries(query)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`)
  return parts.length === 0 ? '' : `?${parts.join('&')}`
}

function segment(type: ResourceType, what: 'name' | 'namespace', value: string | undefined): string {
  if (value === undefined || value === '') throw new KubeError('INVALID', `${type.plural}: ${what} is missing`)
  if (value === '.' || value === '..' || /[/%]/.test(value))
    throw new KubeError('INVALID', `${type.plural}: ${what} "${value}" may not be ".", ".." or contain "/" or "%"`)
  return encodeURIComponent(value)
}
