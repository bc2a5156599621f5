import { type KubeObject, type ObjectRef, objectKey } from '../../core/object.ts'
import type { Change, Logger } from '../../ports/index.ts'

/** The objects of one kind as last seen, and who wants to hear of changes. */
export class ObjectCache<T extends KubeObject> {
  readonly #log: Logger
  readonly #objects = new Map<string, T>()
  readonly #listeners = new Set<(change: Change<T>) => void>()

  constructor(log: Logger) {
    this.#log = log
  }

  get size(): number {
    return this.#objects.size
  }

  get(ref: ObjectRef): T | undefined {
    return this.#objects.get(objectKey(ref))
  }

  list(): T[] {
    return [...this.#objects.values()]
  }

  subscribe(listener: (change: Change<T>) => void): () => void {
    for (const object of this.list()) this.#tell(listener, { kind: 'added', object })
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** The object held already where it is the same version, so that a new list does not double the memory. */
  same(object: T): T {
    const known = this.#objects.get(objectKey(object.metadata))
    return known !== undefined && isSameVersion(known, object) ? known : object
  }

  /** What a complete list says: whatever is not in it is gone. */
  replace(objects: readonly T[]): void {
    const present = new Set(objects.map(({ metadata }) => objectKey(metadata)))
    for (const object of this.list()) if (!present.has(objectKey(object.metadata))) this.remove(object)
    for (const object of objects) this.put(object)
  }

  put(object: T): void {
    const key = objectKey(object.metadata)
    let before = this.#objects.get(key)
    if (before !== undefined && isSameVersion(before, object)) return
    if (before !== undefined && before.metadata.uid !== object.metadata.uid) {
      this.remove(before) // its deletion was not seen: another object bears the name now
      before = undefined
    }
    this.#objects.set(key, object)
    this.#tellAll(before === undefined ? { kind: 'added', object } : { kind: 'updated', before, object })
  }

  remove(object: T): void {
    if (this.#objects.delete(objectKey(object.metadata))) this.#tellAll({ kind: 'deleted', object })
  }

  #tellAll(change: Change<T>): void {
    for (const listener of this.#listeners) this.#tell(listener, change)
  }

  /** A listener that throws must not keep the others, or the watch, from going on. */
  #tell(listener: (change: Change<T>) => void, change: Change<T>): void {
    try {
      listener(change)
    } catch (error) {
      this.#log.error({ op: 'informer', key: objectKey(change.object.metadata), error, msg: 'listener failed' })
    }
  }
}

function isSameVersion({ metadata: a }: KubeObject, { metadata: b }: KubeObject): boolean {
  return a.resourceVersion !== undefined && a.resourceVersion === b.resourceVersion && a.uid === b.uid
}
