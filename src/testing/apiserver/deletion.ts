/** Deleting one object: at once, or by finalizers. What follows from it is the garbage collector's. */
import { objectKey } from '../../core/object.ts'
import type { Cluster } from './cluster.ts'
import { conflict } from './errors.ts'
import { fieldsAt, type KubeJson, type Meta, timestamp } from './object.ts'
import type { Resource } from './resources.ts'
import { Entry } from './store.ts'

export interface DeleteOptions {
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan'
  readonly uid?: string
  readonly resourceVersion?: string
  readonly dryRun?: boolean
}

export const FOREGROUND = 'foregroundDeletion'
export const ORPHAN = 'orphan'

/** True where nothing keeps an object that is being deleted. */
export function isDone({ kind, metadata, spec }: KubeJson): boolean {
  if (metadata.deletionTimestamp === undefined || (metadata.finalizers ?? []).length > 0) return false
  const held = kind === 'Namespace' ? fieldsAt({ spec }, 'spec').finalizers : undefined
  return !Array.isArray(held) || held.length === 0
}

/** Answers the object as it is now, and whether it is gone. */
export function remove(
  cluster: Cluster,
  resource: Resource,
  entry: Entry,
  options: DeleteOptions = {},
): { entry: Entry; gone: boolean } {
  const { metadata } = entry.object
  if (options.uid && options.uid !== metadata.uid)
    throw conflict(resource, metadata.name, preconditionText('UID', options.uid, metadata.uid))
  if (options.resourceVersion && options.resourceVersion !== metadata.resourceVersion)
    throw conflict(
      resource,
      metadata.name,
      preconditionText('ResourceVersion', options.resourceVersion, metadata.resourceVersion),
    )
  const marked = marking(entry.object, options)
  if (options.dryRun) return { entry, gone: isDone(marked) }
  if (isDone(marked)) return { entry: finish(cluster, resource, marked), gone: true }
  if (metadata.deletionTimestamp !== undefined) return { entry, gone: false }
  return { entry: cluster.store.put(resource.id, marked), gone: false }
}

function preconditionText(what: string, wanted: string, actual: unknown): string {
  return `Precondition failed: ${what} in precondition: ${wanted}, ${what} in object meta: ${actual}`
}

/** The object with its deletion written on it. */
function marking(object: KubeJson, { propagation }: DeleteOptions): KubeJson {
  const finalizers = [...(object.metadata.finalizers ?? [])]
  const added = propagation === 'Foreground' ? FOREGROUND : propagation === 'Orphan' ? ORPHAN : undefined
  if (added !== undefined && !finalizers.includes(added)) finalizers.push(added)
  const metadata: Meta = {
    ...object.metadata,
    finalizers,
    deletionTimestamp: object.metadata.deletionTimestamp ?? timestamp(),
  }
  metadata.deletionGracePeriodSeconds ??= 0
  if (object.metadata.deletionTimestamp === undefined && metadata.generation !== undefined) metadata.generation++
  if (finalizers.length === 0) delete metadata.finalizers
  const marked: KubeJson = { ...object, metadata }
  if (object.kind === 'Namespace') marked.status = { ...fieldsAt(object, 'status'), phase: 'Terminating' }
  return marked
}

/** Takes an object out whose last finalizer is gone. */
export function finish(cluster: Cluster, resource: Resource, object: KubeJson): Entry {
  return cluster.store.remove(resource.id, objectKey(object.metadata)) ?? new Entry(object, cluster.store.revision)
}
