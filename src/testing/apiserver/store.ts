/** Objects by resource, one revision counter over all of them, and a bounded history that watches resume from. */
import { objectKey } from '../../core/object.ts'
import { toJson } from './json.ts'
import { compareText, type KubeJson } from './object.ts'

/** One object at one revision. Its JSON text is made once. */
export class Entry {
  readonly object: KubeJson
  readonly revision: number
  #text?: string

  constructor(object: KubeJson, revision: number) {
    this.object = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } }
    this.revision = revision
  }

  get key(): string {
    return objectKey(this.object.metadata)
  }

  get text(): string {
    this.#text ??= toJson(this.object)
    return this.#text
  }
}

export interface StoreEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  /** The resource's id, `group/plural`. */
  readonly resource: string
  /** The new state; for DELETED the last one, at the revision of the deletion. */
  readonly entry: Entry
  readonly before?: Entry
}

export type StoreListener = (event: StoreEvent) => void

class Bucket {
  readonly entries = new Map<string, Entry>()
  readonly listeners = new Set<StoreListener>()
  history: StoreEvent[] = []
  /** Events up to this revision are forgotten. */
  compacted = 0
  #keys?: string[]
  #list?: readonly Entry[]

  list(): readonly Entry[] {
    this.#keys ??= [...this.entries.keys()].sort(compareText)
    this.#list ??= this.#keys.map(key => this.entries.get(key)!)
    return this.#list
  }

  /** After each change; `keys` where one came or went. */
  changed(keys: boolean): void {
    this.#list = undefined
    if (keys) this.#keys = undefined
  }
}

export class Store {
  readonly #buckets = new Map<string, Bucket>()
  readonly #listeners = new Set<StoreListener>()
  readonly #historyLimit: number
  #revision = 1
  #compacted = 0

  /** `historyLimit`: how many events of a resource stay readable for watches that resume. */
  constructor(historyLimit = 20_000) {
    this.#historyLimit = historyLimit
  }

  get revision(): number {
    return this.#revision
  }

  get(resource: string, key: string): Entry | undefined {
    return this.#buckets.get(resource)?.entries.get(key)
  }

  /** In order of namespace and name. */
  list(resource: string): readonly Entry[] {
    return this.#buckets.get(resource)?.list() ?? []
  }

  resources(): string[] {
    return [...this.#buckets.keys()]
  }

  put(resource: string, object: KubeJson): Entry {
    const bucket = this.#bucket(resource)
    const entry = new Entry(object, ++this.#revision)
    const before = bucket.entries.get(entry.key)
    bucket.entries.set(entry.key, entry)
    bucket.changed(before === undefined)
    this.#publish(bucket, { type: before === undefined ? 'ADDED' : 'MODIFIED', resource, entry, before })
    return entry
  }

  remove(resource: string, key: string): Entry | undefined {
    const bucket = this.#bucket(resource)
    const before = bucket.entries.get(key)
    if (before === undefined) return undefined
    bucket.entries.delete(key)
    bucket.changed(true)
    const entry = new Entry(before.object, ++this.#revision)
    this.#publish(bucket, { type: 'DELETED', resource, entry, before })
    return entry
  }

  /** Events after the revision, oldest first; undefined where some of them are forgotten. */
  since(resource: string, revision: number): StoreEvent[] | undefined {
    const bucket = this.#bucket(resource)
    if (revision < bucket.compacted) return undefined
    const { history } = bucket
    let from = history.length
    while (from > 0 && history[from - 1]!.entry.revision > revision) from--
    return history.slice(from)
  }

  /** Called for each later event of the resource, at once; the answer ends it. */
  follow(resource: string, listener: StoreListener): () => void {
    const { listeners } = this.#bucket(resource)
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }

  followAll(listener: StoreListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Forgets the history: whoever asks for a revision before now gets 410. */
  compact(): void {
    this.#compacted = this.#revision
    for (const bucket of this.#buckets.values()) {
      bucket.history = []
      bucket.compacted = this.#revision
    }
  }

  dump(): { revision: number; objects: Record<string, KubeJson[]> } {
    const lists = this.resources().map(resource => [resource, this.list(resource).map(({ object }) => object)] as const)
    return { revision: this.#revision, objects: Object.fromEntries(lists) }
  }

  /** Takes over a dump: revisions go on where it ended, older ones are gone. Only before the first `put`. */
  load({ revision, objects }: { revision: number; objects: Record<string, KubeJson[]> }): void {
    this.#revision = revision
    for (const [resource, list] of Object.entries(objects)) {
      const bucket = this.#bucket(resource)
      for (const object of list) {
        const entry = new Entry(object, Number(object.metadata.resourceVersion))
        bucket.entries.set(entry.key, entry)
        for (const listener of this.#listeners) listener({ type: 'ADDED', resource, entry })
      }
    }
    this.compact()
  }

  #bucket(resource: string): Bucket {
    let bucket = this.#buckets.get(resource)
    if (bucket === undefined) {
      bucket = new Bucket()
      bucket.compacted = this.#compacted
      this.#buckets.set(resource, bucket)
    }
    return bucket
  }

  #publish(bucket: Bucket, event: StoreEvent): void {
    bucket.history.push(event)
    if (bucket.history.length > this.#historyLimit * 1.25) {
      const dropped = bucket.history.splice(0, bucket.history.length - this.#historyLimit)
      bucket.compacted = dropped.at(-1)!.entry.revision
    }
    for (const listener of [...bucket.listeners]) listener(event)
    for (const listener of [...this.#listeners]) listener(event)
  }
}
