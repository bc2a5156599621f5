/** What follows from deletions: contents of namespaces and definitions, dependents of owners. */
import type { Cluster } from './cluster.ts'
import { type DeleteOptions, FOREGROUND, finish, isDone, ORPHAN, remove } from './deletion.ts'
import { type Fields, fieldsAt, type KubeJson } from './object.ts'
import type { Resource } from './resources.ts'
import type { Entry } from './store.ts'

/** Follows deletions through: contents of namespaces and definitions, dependents of owners. Runs after each write. */
export class GarbageCollector {
  readonly #cluster: Cluster
  /** Dependents by their owner's uid. An id is the resource's id, a blank and the object's key. */
  readonly #dependents = new Map<string, Set<string>>()
  /** The id of everything stored, by uid. */
  readonly #uids = new Map<string, string>()
  readonly #pending = new Set<string>()
  #scheduled = false

  constructor(cluster: Cluster) {
    this.#cluster = cluster
    cluster.store.followAll(({ resource, type, entry, before }) => {
      const id = `${resource} ${entry.key}`
      if (before !== undefined) this.#forget(id, before.object)
      if (type === 'DELETED') this.#uids.delete(entry.object.metadata.uid!)
      else this.#learn(id, entry.object)
      this.#concerns(id, entry, type === 'DELETED')
    })
  }

  #learn(id: string, { metadata }: KubeJson): void {
    this.#uids.set(metadata.uid!, id)
    for (const { uid } of metadata.ownerReferences ?? []) {
      const set = this.#dependents.get(uid) ?? new Set()
      this.#dependents.set(uid, set.add(id))
    }
  }

  #forget(id: string, { metadata }: KubeJson): void {
    for (const { uid } of metadata.ownerReferences ?? []) this.#dependents.get(uid)?.delete(id)
  }

  /** Queues what has to be looked at because of this event. */
  #concerns(id: string, { object }: Entry, deleted: boolean): void {
    const { metadata, kind } = object
    const deleting = metadata.deletionTimestamp !== undefined
    if (!deleted && ((metadata.ownerReferences?.length ?? 0) > 0 || deleting)) this.#pending.add(id)
    if (deleted) {
      for (const dependent of this.#dependents.get(metadata.uid!) ?? []) this.#pending.add(dependent)
      for (const { uid } of metadata.ownerReferences ?? []) this.#pending.add(this.#uids.get(uid) ?? '')
      if (metadata.namespace !== undefined) this.#pending.add(`/namespaces ${metadata.namespace}`)
      if (kind === 'CustomResourceDefinition') this.#dropInstances(object)
      this.#dependents.delete(metadata.uid!)
    }
    if (this.#pending.size === 0 || this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#run())
  }

  #run(): void {
    this.#scheduled = false
    const ids = [...this.#pending]
    this.#pending.clear()
    for (const id of ids) this.#settle(id)
  }

  #settle(id: string): void {
    const [resourceId, key] = id.split(' ') as [string, string]
    const resource = this.#cluster.registry.byId(resourceId)
    const entry = this.#cluster.store.get(resourceId, key)
    if (resource === undefined || entry === undefined) return
    const { metadata } = entry.object
    if (metadata.deletionTimestamp !== undefined) {
      this.#advance(resource, entry)
      return
    }
    const owners = metadata.ownerReferences ?? []
    const alive = owners.filter(({ uid }) => this.#uids.has(uid))
    if (owners.length > 0 && alive.length === 0) remove(this.#cluster, resource, entry)
    else if (alive.length < owners.length) this.#rewrite(resource, entry, { ownerReferences: alive })
  }

  /** One more step of a deletion in progress. */
  #advance(resource: Resource, entry: Entry): void {
    const { metadata, kind } = entry.object
    const finalizers = metadata.finalizers ?? []
    if (kind === 'Namespace') this.#emptyNamespace(resource, entry)
    const dependents = [...(this.#dependents.get(metadata.uid!) ?? [])]
    if (finalizers.includes(ORPHAN)) {
      for (const id of dependents) this.#disown(id, metadata.uid!)
      this.#rewrite(resource, entry, { finalizers: finalizers.filter(name => name !== ORPHAN) })
    } else if (finalizers.includes(FOREGROUND)) {
      for (const id of dependents) this.#removeById(id, 'Foreground')
      if ((this.#dependents.get(metadata.uid!)?.size ?? 0) === 0)
        this.#rewrite(resource, entry, { finalizers: finalizers.filter(name => name !== FOREGROUND) })
    }
  }

  #emptyNamespace(resource: Resource, namespace: Entry): void {
    const { store } = this.#cluster
    const { name } = namespace.object.metadata
    const inside = () =>
      store
        .resources()
        .flatMap(id =>
          store.list(id).flatMap(entry => (entry.object.metadata.namespace === name ? [`${id} ${entry.key}`] : [])),
        )
    for (const id of inside()) this.#removeById(id)
    if (inside().length > 0 || fieldsAt(namespace.object, 'spec').finalizers === undefined) return
    const { finalizers, ...spec } = fieldsAt(namespace.object, 'spec')
    this.#save(resource, { ...namespace.object, spec })
  }

  #removeById(id: string, propagation?: DeleteOptions['propagation']): void {
    const [resourceId, key] = id.split(' ') as [string, string]
    const entry = this.#cluster.store.get(resourceId, key)
    const resource = this.#cluster.registry.byId(resourceId)
    if (entry === undefined) return
    if (resource === undefined) this.#cluster.store.remove(resourceId, key)
    else if (entry.object.metadata.deletionTimestamp === undefined)
      remove(this.#cluster, resource, entry, { propagation })
  }

  #disown(id: string, uid: string): void {
    const [resourceId, key] = id.split(' ') as [string, string]
    const resource = this.#cluster.registry.byId(resourceId)
    const entry = this.#cluster.store.get(resourceId, key)
    if (resource === undefined || entry === undefined) return
    const owners = entry.object.metadata.ownerReferences ?? []
    this.#rewrite(resource, entry, { ownerReferences: owners.filter(owner => owner.uid !== uid) })
  }

  #dropInstances(crd: KubeJson): void {
    const { group, names } = fieldsAt(crd, 'spec') as { group: string; names: Fields }
    const resourceId = `${group}/${names.plural}`
    for (const { key } of this.#cluster.store.list(resourceId)) this.#cluster.store.remove(resourceId, key)
  }

  #rewrite(resource: Resource, { object }: Entry, change: Partial<KubeJson['metadata']>): void {
    this.#save(resource, { ...object, metadata: { ...object.metadata, ...change } })
  }

  #save(resource: Resource, object: KubeJson): void {
    if (isDone(object)) finish(this.#cluster, resource, object)
    else this.#cluster.store.put(resource.id, object)
  }
}
