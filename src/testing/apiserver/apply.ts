/** Server-side apply: a PATCH with all the fields its manager wants, and none that it gives up. */
import { apiVersionOf, type ObjectRef } from '../../core/object.ts'
import { isKeyField, mergeApplied, withoutPath } from './apply-merge.ts'
import type { Cluster } from './cluster.ts'
import { decode, type WriteOptions } from './decode.ts'
import { ApiError, badRequest, required } from './errors.ts'
import { compare, FieldSet, fieldsOf, formatPath, mergeSchema, type Path } from './field-set.ts'
import { assign, isSame, type Manager, type Ownership, ownerships, release, withOwnerships } from './managed-fields.ts'
import { type Fields, isFields, type KubeJson } from './object.ts'
import type { Resource } from './resources.ts'
import { type Change, changed, creation, type Located } from './writes.ts'

export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string
  /** Takes over what others own. */
  readonly force: boolean
}

/** Throws 409 with the conflicts, 400 or 422 for a request that is none. */
export function applied(
  cluster: Cluster,
  resource: Resource,
  ref: ObjectRef,
  found: Located | undefined,
  body: unknown,
  subresource: string,
  options: ApplyOptions,
): Change {
  const config = checkedConfig(resource, ref, body, subresource, options)
  const manager = managerOf(resource, options.fieldManager, subresource)
  const schema = mergeSchema(resource)
  const fields = fieldsOf(config, schema)
  if (found === undefined) {
    const change = creation(cluster, resource, ref.namespace, config, options)
    return { ...change, object: withOwnerships(change.object, assign([], manager, fields)) }
  }
  const live = found.seen.object
  const owners = ownersOf(live, schema, resource)
  const merged = mergeApplied(live, config, schema) as KubeJson
  const taken = compare(live, merged, schema).changed
  if (!options.force) refuseConflicts(owners, manager, taken, lastApplied(live, manager, schema))
  const wanted = withoutGivenUp(merged, owners, manager, fields, schema)
  wanted.metadata.resourceVersion = config.metadata.resourceVersion ?? live.metadata.resourceVersion
  const change = changed(cluster, resource, found, wanted, subresource)
  const { removed } = compare(live, change.object, schema)
  return {
    ...change,
    object: withOwnerships(change.object, assign(release(owners, manager, taken, removed), manager, fields)),
  }
}

function managerOf(resource: Resource, name: string, subresource: string): Manager {
  return { name, operation: 'Apply', apiVersion: apiVersionOf(resource), subresource }
}

function checkedConfig(
  resource: Resource,
  { name, namespace }: ObjectRef,
  body: unknown,
  subresource: string,
  options: ApplyOptions,
): KubeJson {
  if (options.fieldManager === '') throw managerMissing()
  if (!isFields(body)) throw badRequest('an apply patch is an object')
  if (typeof body.apiVersion !== 'string' || typeof body.kind !== 'string')
    throw badRequest('an apply patch needs apiVersion and kind')
  const config = decode(resource, body, options)
  if ((config.metadata as unknown as Fields).managedFields !== undefined)
    throw badRequest('metadata.managedFields must be nil')
  config.metadata = { ...config.metadata, name, ...(namespace === undefined ? {} : { namespace }) }
  return ofSubresource(resource, config, subresource)
}

/** An apply of the status has no say in the rest, nor the other way round. */
function ofSubresource(resource: Resource, config: KubeJson, subresource: string): KubeJson {
  const { status, ...rest } = config
  if (subresource !== 'status') return resource.statusSubresource ? rest : config
  const { apiVersion, kind, metadata } = config
  const { name, namespace, resourceVersion } = metadata
  return { apiVersion, kind, metadata: { name, namespace, resourceVersion }, status } as KubeJson
}

/** An object that nobody applied before belongs to whoever made it (apimachinery fieldmanager, before-first-apply). */
function ownersOf(live: KubeJson, schema: MergeSchema, resource: Resource): Ownership[] {
  const known = ownerships(live)
  if (known.length > 0) return known
  const manager: Manager = {
    ...{ name: 'before-first-apply', operation: 'Update', apiVersion: apiVersionOf(resource), subresource: '' },
  }
  return [{ manager, fields: fieldsOf(live, schema) }]
}

function withoutGivenUp(
  merged: KubeJson,
  owners: readonly Ownership[],
  manager: Manager,
  fields: FieldSet,
  schema: MergeSchema,
): KubeJson {
  const mine = owners.find(owner => isSame(owner.manager, manager))?.fields ?? new FieldSet()
  const others = new FieldSet(
    owners.filter(owner => !isSame(owner.manager, manager)).flatMap(owner => [...owner.fields]),
  )
  let object: unknown = merged
  for (const path of mine.minus(fields))
    if (!others.touches(path) && !fields.touches(path) && !isKeyField(path)) object = withoutPath(object, path, schema)
  return structuredClone(object) as KubeJson
}

type MergeSchema = ReturnType<typeof mergeSchema>

interface Conflict {
  readonly owner: string
  readonly path: Path
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/** Fields that kubectl set by client-side apply and nobody changed since: kubectl may take those without a conflict. */
function lastApplied({ metadata, ...live }: KubeJson, manager: Manager, schema: MergeSchema): FieldSet {
  const text = metadata.annotations?.[LAST_APPLIED]
  if (manager.name !== 'kubectl' || text === undefined) return new FieldSet()
  const last = JSON.parse(text) as Fields
  const { changed, removed } = compare(last, { ...live, metadata }, schema)
  return fieldsOf(last, schema).minus(changed).minus(removed)
}

function refuseConflicts(owners: readonly Ownership[], manager: Manager, taken: FieldSet, allowed: FieldSet): void {
  const conflicts = owners
    .filter(owner => !isSame(owner.manager, manager))
    .flatMap(owner => [...owner.fields.and(taken)].map(path => ({ owner: printed(owner), path })))
  if (conflicts.every(({ path }) => allowed.has(path))) return
  const causes = conflicts.map(({ owner, path }) => ({
    ...{ reason: 'FieldManagerConflict', message: `conflict with ${owner}`, field: formatPath(path) },
  }))
  throw new ApiError(409, 'Conflict', conflictText(conflicts), { causes })
}

/** As apimachinery's managedfields prints conflicts; kubectl adds what can be done about them. */
function conflictText(conflicts: readonly Conflict[]): string {
  if (conflicts.length === 1) {
    const [{ owner, path }] = conflicts as [Conflict]
    return `Apply failed with 1 conflict: conflict with ${owner}: ${formatPath(path)}`
  }
  const names = [...new Set(conflicts.map(({ owner }) => owner))].sort()
  const lines = names.flatMap(name => [
    `conflicts with ${name}:`,
    ...conflicts.filter(({ owner }) => owner === name).map(({ path }) => `- ${formatPath(path)}`),
  ])
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`
}

function printed({ manager, time }: Ownership): string {
  const part = manager.subresource === '' ? '' : ` with subresource "${manager.subresource}"`
  const name = `${JSON.stringify(manager.name)}${part}`
  if (manager.operation === 'Apply') return name
  return `${name} using ${manager.apiVersion}${time === undefined ? '' : ` at ${time}`}`
}

function managerMissing(): ApiError {
  const cause = required('fieldManager', 'is required for apply patch')
  const message = `PatchOptions.meta.k8s.io "" is invalid: ${cause.field}: ${cause.message}`
  return new ApiError(422, 'Invalid', message, { group: 'meta.k8s.io', kind: 'PatchOptions', causes: [cause] })
}
