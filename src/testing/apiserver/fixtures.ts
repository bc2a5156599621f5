/** Objects put, read and removed by a test without a request. Creation still completes and validates them. */
import { type KubeObject, type ObjectRef, objectKey, type ResourceType } from '../../core/object.ts'
import type { Cluster } from './cluster.ts'
import { remove } from './deletion.ts'
import { isFields, type KubeJson } from './object.ts'
import type { Resource } from './resources.ts'
import { create } from './writes.ts'

export class Fixtures {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /**
   * Creates the object, or replaces spec, status and all of the one that is there; a status given is kept. Throws
   * ApiError where the API would refuse it.
   */
  put<T extends KubeObject>(object: T): T {
    const { resource, ref } = this.#find(object)
    const { store } = this.#cluster
    const before = store.get(resource.id, objectKey(ref))
    const given = object as unknown as KubeJson
    const { namespace } = ref
    const entry = before ?? create(this.#cluster, resource, namespace, given)
    if (before === undefined && given.status === undefined) return entry.object as unknown as T
    const metadata = { ...entry.object.metadata, ...given.metadata }
    const base = before === undefined ? entry.object : { ...entry.object, ...given }
    const put = { ...base, status: given.status ?? entry.object.status, metadata }
    if (put.status === undefined) delete put.status
    return store.put(resource.id, structuredClone(put) as KubeJson).object as unknown as T
  }

  /** Creates the object where there is none of its name. */
  ensure(object: unknown): void {
    const { resource, ref } = this.#find(object)
    if (this.#cluster.store.get(resource.id, objectKey(ref)) === undefined)
      create(this.#cluster, resource, ref.namespace, object)
  }

  get<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef): T | undefined {
    return this.#cluster.store.get(idOf(type), objectKey(ref))?.object as unknown as T | undefined
  }

  list<T extends KubeObject>(type: ResourceType<T>): T[] {
    return this.#cluster.store.list(idOf(type)).map(({ object }) => object as unknown as T)
  }

  /** As a DELETE request would; false where there is nothing of that name. */
  delete(type: ResourceType, ref: ObjectRef): boolean {
    const resource = this.#cluster.registry.byId(idOf(type))
    const entry = resource && this.#cluster.store.get(resource.id, objectKey(ref))
    if (resource === undefined || entry === undefined) return false
    remove(this.#cluster, resource, entry)
    return true
  }

  #find(object: unknown): { resource: Resource; ref: ObjectRef } {
    if (!isFields(object) || !isFields(object.metadata))
      throw new Error('a fixture needs kind, apiVersion and metadata')
    const resource = this.#cluster.registry.byKind(String(object.apiVersion), String(object.kind))
    if (resource === undefined) throw new Error(`the server knows no ${object.apiVersion} ${object.kind}`)
    const { name, namespace } = object.metadata as unknown as ObjectRef
    return { resource, ref: resource.namespaced ? { name, namespace: namespace ?? 'default' } : { name } }
  }
}

function idOf(type: ResourceType): string {
  return `${type.group}/${type.plural}`
}
