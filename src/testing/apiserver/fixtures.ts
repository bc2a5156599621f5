/** Objects put, read and removed by a test without a request. Creation still completes and validates them. */
import { type KubeObject, type ObjectRef, objectKey, type ResourceType } from '../../core/object.ts'
import type { Cluster } from './cluster.ts'
import { admit } from './decode.ts'
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
   * Creates the object, or replaces the one that is there, with the status given and else the one it has. What the API
   * fills in (addresses, defaults) is filled in; throws ApiError where the API would refuse the object.
   */
  put<T extends KubeObject>(object: T): T {
    const { resource, ref } = this.#find(object)
    const { store } = this.#cluster
    const given = structuredClone(object) as unknown as KubeJson
    const found = store.get(resource.id, objectKey(ref))
    const before = (found ?? create(this.#cluster, resource, ref.namespace, given)).object
    if (found === undefined && given.status === undefined) return before as unknown as T
    const status = given.status ?? before.status
    const after = { ...(found === undefined ? before : given), metadata: { ...before.metadata, ...given.metadata } }
    const whole = structuredClone(status === undefined ? after : { ...after, status }) as KubeJson
    admit(resource, whole, before, this.#cluster)
    return store.put(resource.id, whole).object as unknown as T
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
