/** Who owns which fields of an object (metadata.managedFields). */
import { compare, FieldSet, fieldsOf, fromFieldsV1, mergeSchema, toFieldsV1 } from './field-set.ts'
import { type Fields, isFields, type KubeJson, timestamp } from './object.ts'
import type { Resource } from './resources.ts'

export interface Manager {
  readonly name: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource: string
}

export interface Ownership {
  readonly manager: Manager
  readonly fields: FieldSet
  readonly time?: string
}

export function isSame(a: Manager, b: Manager): boolean {
  return (
    a.name === b.name && a.operation === b.operation && a.subresource === b.subresource && a.apiVersion === b.apiVersion
  )
}

export function ownerships({ metadata }: KubeJson): Ownership[] {
  const list = (metadata as unknown as Fields).managedFields
  return (Array.isArray(list) ? list : []).filter(isFields).flatMap(entry => {
    if (typeof entry.manager !== 'string') return []
    const operation = entry.operation === 'Apply' ? 'Apply' : 'Update'
    const { apiVersion, subresource = '', time } = entry
    const manager = { name: entry.manager, operation, apiVersion: String(apiVersion), subresource: String(subresource) }
    return [{ manager, fields: fromFieldsV1(entry.fieldsV1), time: time === undefined ? undefined : String(time) }]
  }) as Ownership[]
}

/** The object with these owners; those who own nothing are left out. */
export function withOwnerships(object: KubeJson, list: readonly Ownership[]): KubeJson {
  const managedFields = list
    .filter(({ fields }) => fields.size > 0)
    .map(({ manager, fields, time }) => ({
      ...{ manager: manager.name, operation: manager.operation, apiVersion: manager.apiVersion, time },
      ...{ fieldsType: 'FieldsV1', fieldsV1: toFieldsV1(fields) },
      ...(manager.subresource === '' ? {} : { subresource: manager.subresource }),
    }))
  const { managedFields: _old, ...metadata } = object.metadata as typeof object.metadata & Fields
  return {
    ...object,
    metadata: (managedFields.length > 0 ? { ...metadata, managedFields } : metadata) as typeof metadata,
  }
}

/** The manager's fields are these from now on; the time of the entry changes only with them. */
export function assign(list: readonly Ownership[], manager: Manager, fields: FieldSet): Ownership[] {
  const before = list.find(known => isSame(known.manager, manager))
  if (before?.fields.equals(fields)) return [...list]
  const entry = { manager, fields, time: timestamp() }
  if (before === undefined) return [...list, entry]
  return list.map(known => (known === before ? entry : known))
}

/** Nobody but the manager owns the taken fields, and nobody at all the removed ones. */
export function release(list: readonly Ownership[], manager: Manager, taken: FieldSet, removed: FieldSet): Ownership[] {
  return list.map(known => {
    const own = isSame(known.manager, manager)
    const fields = (own ? known.fields : known.fields.minus(taken)).minus(removed)
    return fields.size === known.fields.size ? known : { ...known, fields }
  })
}

/**
 * The object of a write that is no apply, with its owners: what it sets is the manager's. Custom resources are always
 * counted, other objects from the first apply on (until then `applyOwners` says who owned them).
 */
export function counted(
  resource: Resource,
  object: KubeJson,
  before: KubeJson | undefined,
  manager: Manager,
): KubeJson {
  const known = ownersAfter(object, before)
  if (!resource.custom && known.length === 0) return withOwnerships(object, [])
  const schema = mergeSchema(resource)
  if (before === undefined) return withOwnerships(object, assign([], manager, fieldsOf(object, schema)))
  const { changed, removed } = compare(before, object, schema)
  const left = release(known, manager, changed, removed)
  const own = left.find(entry => isSame(entry.manager, manager))?.fields ?? new FieldSet()
  return withOwnerships(object, assign(left, manager, own.union(changed)))
}

/** A request may rewrite the list, or reset it by a single empty entry; one without a list leaves it alone. */
function ownersAfter(object: KubeJson, before: KubeJson | undefined): Ownership[] {
  const given = (object.metadata as unknown as Fields).managedFields
  return Array.isArray(given) && given.length > 0 ? ownerships(object) : before === undefined ? [] : ownerships(before)
}
