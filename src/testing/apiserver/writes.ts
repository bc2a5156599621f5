/** Create, update and patch, of an object or of its status: worked out first, done later. */
import { isDeepStrictEqual } from 'node:util'
import { type ObjectRef, objectKey } from '../../core/object.ts'
import type { Cluster } from './cluster.ts'
import { converts } from './conversion.ts'
import { admit, decode, storageApiVersion, type WriteOptions } from './decode.ts'
import { finish, isDone } from './deletion.ts'
import {
  alreadyExists,
  badRequest,
  conflict,
  forbidden,
  invalid,
  MODIFIED,
  notFound,
  unsupportedMediaType,
} from './errors.ts'
import { type Fields, isFields, type KubeJson, type Meta, nameSuffix, newUid, timestamp } from './object.ts'
import { jsonPatch, mergePatch, strategicMerge } from './patch.ts'
import type { Resource } from './resources.ts'
import { Entry } from './store.ts'

/** An object as it is stored, and in the version of a request. */
export interface Located {
  readonly stored: Entry
  readonly seen: Entry
}

/** A write that is worked out and not yet done. */
export interface Change {
  readonly stored?: Entry
  /** What is there and what shall be, in the version of the request. */
  readonly before?: KubeJson
  readonly object: KubeJson
}

export function create(
  cluster: Cluster,
  resource: Resource,
  namespace: string | undefined,
  body: unknown,
  options: WriteOptions = {},
): Entry {
  return commit(cluster, resource, inStorage(resource, creation(cluster, resource, namespace, body, options)), options)
}

export function creation(
  cluster: Cluster,
  resource: Resource,
  namespace: string | undefined,
  body: unknown,
  options: WriteOptions = {},
): Change {
  const object = decode(resource, body, options)
  object.metadata = newMetadata(object.metadata, namespace, resource)
  if (resource.statusSubresource && resource.id !== '/nodes') delete object.status
  if (namespace !== undefined) checkNamespace(cluster, resource, object.metadata)
  if (cluster.store.get(resource.id, objectKey(object.metadata))) throw alreadyExists(resource, object.metadata.name)
  admit(resource, object, undefined, cluster)
  return { object }
}

/** Writes without a request, which no webhook converts. */
function inStorage(resource: Resource, change: Change): Change {
  if (converts(resource)) throw new Error(`a ${resource.kind} is written in ${resource.storageVersion} here`)
  return { ...change, object: { ...change.object, apiVersion: storageApiVersion(resource) } }
}

function newMetadata(given: Meta, namespace: string | undefined, resource: Resource): Meta {
  if (given.namespace && given.namespace !== namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  const { generateName } = given
  const name = given.name || (generateName ? `${generateName.slice(0, 58)}${nameSuffix()}` : '')
  const { resourceVersion, deletionTimestamp, deletionGracePeriodSeconds, generation, ...kept } = given
  if (resourceVersion) throw badRequest('resourceVersion should not be set on objects to be created')
  const metadata: Meta = { ...kept, name, uid: newUid(), creationTimestamp: timestamp() }
  if (namespace !== undefined) metadata.namespace = namespace
  if (resource.countsGenerations) metadata.generation = 1
  return metadata
}

function checkNamespace({ store }: Cluster, resource: Resource, { namespace, name }: Meta): void {
  const found = store.get('/namespaces', namespace!)
  if (found === undefined) throw notFound({ ...resource, group: '', plural: 'namespaces' }, namespace!)
  if (found.object.metadata.deletionTimestamp !== undefined)
    throw forbidden(
      resource,
      name,
      `unable to create new content in namespace ${namespace} because it is being terminated`,
    )
}

export function replacement(
  cluster: Cluster,
  resource: Resource,
  ref: ObjectRef,
  found: Located | undefined,
  body: unknown,
  subresource: string,
  options: WriteOptions = {},
): Change {
  const object = decode(resource, body, options)
  checkName(object.metadata, ref)
  if (resource.needsRevision && !object.metadata.resourceVersion) throw invalid(resource, ref.name, [REVISION_MISSING])
  if (found === undefined) throw notFound(resource, ref.name)
  return changed(cluster, resource, found, object, subresource)
}

const REVISION_MISSING = {
  reason: 'FieldValueInvalid',
  field: 'metadata.resourceVersion',
  message: 'Invalid value: 0x0: must be specified for an update',
}

/** The object must say by itself which one it is (apiserver handlers, checkName). */
function checkName({ name, namespace }: Meta, ref: ObjectRef): void {
  if (!name)
    throw badRequest(`the name of the object (${ref.name} based on URL) was undeterminable: name must be provided`)
  if (name !== ref.name)
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${ref.name})`)
  if (namespace && namespace !== ref.namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
}

export function current({ store }: Cluster, resource: Resource, ref: ObjectRef): Entry {
  const entry = store.get(resource.id, objectKey(ref))
  if (entry === undefined) throw notFound(resource, ref.name)
  return entry
}

export function patch(
  cluster: Cluster,
  resource: Resource,
  ref: ObjectRef,
  contentType: string,
  body: unknown,
  subresource = '',
  options: WriteOptions = {},
): Entry {
  const entry = current(cluster, resource, ref)
  const found = { stored: entry, seen: entry }
  const change = patched(cluster, resource, ref, found, contentType, body, subresource, options)
  return commit(cluster, resource, inStorage(resource, change), options)
}

export function patched(
  cluster: Cluster,
  resource: Resource,
  ref: ObjectRef,
  found: Located | undefined,
  contentType: string,
  body: unknown,
  subresource: string,
  options: WriteOptions = {},
): Change {
  checkPatchType(resource, contentType)
  if (found === undefined) throw notFound(resource, ref.name)
  const { object: seen } = found.seen
  const wanted = decode(resource, applyPatch(resource, seen, contentType, body), options)
  checkName(wanted.metadata, ref)
  wanted.metadata.resourceVersion ||= seen.metadata.resourceVersion
  return changed(cluster, resource, found, wanted, subresource)
}

const PATCH_TYPES = ['application/json-patch+json', 'application/merge-patch+json']
const STRATEGIC = 'application/strategic-merge-patch+json'
export const APPLY = 'application/apply-patch+yaml'

function checkPatchType(resource: Resource, contentType: string): void {
  const accepted = resource.custom ? PATCH_TYPES : [...PATCH_TYPES, STRATEGIC]
  if (!accepted.includes(contentType))
    throw unsupportedMediaType(
      `the body of the request was in an unknown format - accepted media types include: ${[...accepted, APPLY].join(', ')}`,
    )
}

function applyPatch(resource: Resource, target: Fields, contentType: string, body: unknown): unknown {
  if (contentType === PATCH_TYPES[0]) return jsonPatch(target, body)
  if (contentType === STRATEGIC) return strategicMerge(target, asPatch(body), resource.mergeKeys)
  return mergePatch(target, asPatch(body))
}

function asPatch(body: unknown): Fields {
  if (!isFields(body)) throw badRequest('a merge patch is a JSON object')
  return body
}

/** Everything an update and a patch have in common: what may change, and what the object is then. */
export function changed(
  cluster: Cluster,
  resource: Resource,
  { stored, seen }: Located,
  wanted: KubeJson,
  subresource: string,
): Change {
  const before = seen.object
  checkPreconditions(resource, before, wanted.metadata)
  const object =
    subresource === 'status' ? statusChange(resource, before, wanted) : mainChange(resource, before, wanted)
  object.metadata = { ...object.metadata, ...fixedMetadata(before.metadata) }
  admit(resource, object, before, cluster)
  return { stored, before, object }
}

/** Does a write whose object is in the storage version: nothing where it would change nothing. */
export function commit(cluster: Cluster, resource: Resource, change: Change, options: WriteOptions = {}): Entry {
  const { stored, object } = change
  if (stored === undefined) return store(cluster, resource, object, options)
  const before = stored.object
  if (isDeepStrictEqual(withoutUndefined(object), withoutUndefined(before))) return stored
  const { generation = 0 } = before.metadata
  const counted = resource.countsGenerations && contentChanged(resource, object, before)
  const metadata = counted ? { ...object.metadata, generation: generation + 1 } : object.metadata
  return store(cluster, resource, { ...object, metadata }, options)
}

function checkPreconditions(resource: Resource, { metadata }: KubeJson, wanted: Partial<Meta>): void {
  if (wanted.uid && wanted.uid !== metadata.uid) {
    const why = `Precondition failed: UID in precondition: ${wanted.uid}, UID in object meta: ${metadata.uid}`
    throw conflict(resource, metadata.name, why)
  }
  if (wanted.resourceVersion && wanted.resourceVersion !== '0' && wanted.resourceVersion !== metadata.resourceVersion)
    throw conflict(resource, metadata.name, MODIFIED)
}

/** Status and, for built-in kinds, metadata; a custom resource's metadata stays as it is. */
function statusChange(resource: Resource, before: KubeJson, wanted: KubeJson): KubeJson {
  const metadata = resource.custom
    ? before.metadata
    : { ...wanted.metadata, ownerReferences: before.metadata.ownerReferences }
  return { ...structuredClone(before), metadata, status: wanted.status }
}

function mainChange(resource: Resource, before: KubeJson, wanted: KubeJson): KubeJson {
  return resource.statusSubresource ? { ...wanted, status: structuredClone(before.status) } : wanted
}

/** Metadata that no write changes. */
function fixedMetadata(old: Meta): Partial<Meta> {
  const { name, namespace, uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation } = old
  const { resourceVersion, generateName } = old
  return {
    ...{ name, namespace, uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation },
    ...{ resourceVersion, generateName },
  }
}

/** Where status is no part of its own it counts like the rest. */
function contentChanged({ statusSubresource }: Resource, object: KubeJson, before: KubeJson): boolean {
  const content = ({ metadata, status, ...rest }: KubeJson) =>
    withoutUndefined(statusSubresource ? rest : { ...rest, status })
  return !isDeepStrictEqual(content(object), content(before))
}

/** Absent and undefined are the same in JSON. */
function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined)
  if (!isFields(value)) return value
  const kept = Object.entries(value).filter(([, part]) => part !== undefined)
  return Object.fromEntries(kept.map(([name, part]) => [name, withoutUndefined(part)]))
}

function store(cluster: Cluster, resource: Resource, object: KubeJson, { dryRun }: WriteOptions): Entry {
  const clean = withoutUndefined(object) as KubeJson
  if (dryRun) return new Entry(clean, Number(clean.metadata.resourceVersion ?? 0))
  if (!isDone(clean)) return cluster.store.put(resource.id, clean)
  return finish(cluster, resource, clean)
}
