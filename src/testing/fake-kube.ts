import { apiVersionOf, type KubeObject, type ObjectRef, objectKey, type ResourceType } from '../core/object.ts'
import {
  type Change,
  type EventRecorder,
  type EventTarget,
  type Informer,
  type KubeApi,
  KubeError,
  type ListOptions,
  type Patch,
} from '../ports/index.ts'

interface Kind {
  objects: Map<string, KubeObject>
  listeners: Set<(change: Change<KubeObject>) => void>
}

/**
 * The Kubernetes API in memory, for tests of `control`: optimistic concurrency, generated names, merge patches, and
 * informers that are told at once. A test makes it fail by setting `fail`.
 */
export class FakeKube implements KubeApi {
  /** Called before each request; throw a KubeError here to make it fail. */
  fail: (verb: string, type: ResourceType, ref: Partial<ObjectRef>) => void = () => {}
  /** `verb plural namespace/name`, in order. */
  readonly calls: string[] = []
  #kinds = new Map<string, Kind>()
  #version = 1

  #kind(type: ResourceType): Kind {
    const key = `${type.group}/${type.plural}`
    const kind = this.#kinds.get(key) ?? { objects: new Map(), listeners: new Set() }
    this.#kinds.set(key, kind)
    return kind
  }

  async #request(verb: string, type: ResourceType, ref: Partial<ObjectRef>): Promise<Kind> {
    await null
    this.calls.push(`${verb} ${type.plural} ${objectKey({ name: '', ...ref })}`)
    this.fail(verb, type, ref)
    return this.#kind(type)
  }

  async get<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef): Promise<T> {
    const object = (await this.#request('get', type, ref)).objects.get(objectKey(ref))
    if (object === undefined) throw notFound(type, ref)
    return structuredClone(object) as T
  }

  async list<T extends KubeObject>(
    type: ResourceType<T>,
    { namespace, labelSelector, fieldSelector }: ListOptions = {},
  ): Promise<T[]> {
    const kind = await this.#request('list', type, { namespace })
    const wanted = (labelSelector ?? '')
      .split(',')
      .filter(Boolean)
      .map(term => term.split('='))
    const selected = [...kind.objects.values()].filter(
      ({ metadata }) =>
        (namespace === undefined || metadata.namespace === namespace) &&
        (fieldSelector === undefined || fieldSelector === `metadata.name=${metadata.name}`) &&
        wanted.every(([key, value]) => metadata.labels?.[key!] === value),
    )
    return structuredClone(selected) as T[]
  }

  async create<T extends KubeObject>(type: ResourceType<T>, object: T): Promise<T> {
    const kind = await this.#request('create', type, object.metadata)
    const { generateName } = object.metadata
    const name = object.metadata.name || `${generateName}${(this.#version + 1).toString(36).padStart(5, 'x')}`
    const key = objectKey({ ...object.metadata, name })
    if (kind.objects.has(key))
      throw new KubeError('ALREADY_EXISTS', `${type.plural} "${name}" already exists`, { status: 409 })
    const metadata = { uid: `uid-${this.#version}`, generation: 1, ...object.metadata, name }
    return this.#store(type, kind, { ...object, metadata }) as T
  }

  async replace<T extends KubeObject>(type: ResourceType<T>, object: T, subresource?: 'status'): Promise<T> {
    const kind = await this.#request(subresource ? 'replace/status' : 'replace', type, object.metadata)
    const before = kind.objects.get(objectKey(object.metadata))
    if (before === undefined) throw notFound(type, object.metadata)
    const { resourceVersion } = object.metadata
    if (resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion)
      throw new KubeError('CONFLICT', `${type.plural} "${object.metadata.name}" has been modified`, { status: 409 })
    return this.#store(type, kind, subresource ? withStatus(type, before, object) : object) as T
  }

  async patch<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef, patch: Patch, subresource?: 'status') {
    const kind = await this.#request(subresource ? 'patch/status' : 'patch', type, ref)
    const before = kind.objects.get(objectKey(ref))
    if (before === undefined) throw notFound(type, ref)
    const expected = (patch.body as Partial<KubeObject> | undefined)?.metadata?.resourceVersion
    if (expected !== undefined && expected !== before.metadata.resourceVersion)
      throw new KubeError('CONFLICT', `${type.plural} "${ref.name}" has been modified`, { status: 409 })
    if (patch.type === 'json') throw new Error('FakeKube does not do JSON patches')
    const after = merge(before, patch.body) as KubeObject
    return this.#store(type, kind, subresource ? withStatus(type, before, after) : after) as T
  }

  async delete(type: ResourceType, ref: ObjectRef, wanted: { uid?: string; resourceVersion?: string } = {}) {
    const { metadata } = (await this.#request('delete', type, ref)).objects.get(objectKey(ref)) ?? {}
    if (metadata === undefined) throw notFound(type, ref)
    const { uid = metadata.uid, resourceVersion = metadata.resourceVersion } = wanted
    if (uid !== metadata.uid || resourceVersion !== metadata.resourceVersion)
      throw new KubeError('CONFLICT', `${type.plural} "${ref.name}" is another one`, { status: 409 })
    this.remove(type, ref)
  }

  /** What a user does behind the program's back: creates or overwrites without a request being counted. */
  put<T extends KubeObject>(type: ResourceType<T>, object: T): T {
    const kind = this.#kind(type)
    const before = kind.objects.get(objectKey(object.metadata))
    const metadata = {
      uid: before?.metadata.uid ?? `uid-${this.#version}`,
      generation: (before?.metadata.generation ?? 0) + 1,
      creationTimestamp: before?.metadata.creationTimestamp ?? '2026-01-01T00:00:00Z',
      ...object.metadata,
    }
    return this.#store(type, kind, { ...object, metadata }) as T
  }

  remove(type: ResourceType, ref: ObjectRef): void {
    const kind = this.#kind(type)
    const object = kind.objects.get(objectKey(ref))
    if (object === undefined) return
    kind.objects.delete(objectKey(ref))
    for (const listener of kind.listeners) listener({ kind: 'deleted', object })
  }

  peek<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef): T | undefined {
    return this.#kind(type).objects.get(objectKey(ref)) as T | undefined
  }

  /** Of every namespace, whatever the options say. */
  informer<T extends KubeObject>(type: ResourceType<T>, _options?: ListOptions): Informer<T> {
    const kind = this.#kind(type)
    return {
      synced: true,
      whenSynced: async () => {},
      get: ref => kind.objects.get(objectKey(ref)) as T | undefined,
      list: () => [...kind.objects.values()] as T[],
      subscribe: listener => {
        const add = listener as (change: Change<KubeObject>) => void
        for (const object of kind.objects.values()) add({ kind: 'added', object })
        kind.listeners.add(add)
        return () => void kind.listeners.delete(add)
      },
    }
  }

  #store(type: ResourceType, kind: Kind, object: KubeObject): KubeObject {
    const key = objectKey(object.metadata)
    const before = kind.objects.get(key)
    const stored = structuredClone({
      ...object,
      apiVersion: apiVersionOf(type),
      kind: type.kind,
      metadata: { ...object.metadata, resourceVersion: String(++this.#version) },
    })
    kind.objects.set(key, stored)
    const change: Change<KubeObject> =
      before === undefined ? { kind: 'added', object: stored } : { kind: 'updated', before, object: stored }
    for (const listener of kind.listeners) listener(change)
    return structuredClone(stored)
  }
}

/** A write to the status subresource leaves everything else as it was; built-in kinds take over the metadata too. */
function withStatus(type: ResourceType, before: KubeObject, after: KubeObject & { status?: unknown }): KubeObject {
  const { status, metadata } = after
  return { ...before, ...(type.group === '' && { metadata }), ...(status !== undefined && { status }) }
}

/** RFC 7396. */
function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const result: Record<string, unknown> = { ...(typeof target === 'object' && target !== null ? target : {}) }
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = merge(result[key], value)
  }
  return result
}

function notFound(type: ResourceType, { name }: ObjectRef): KubeError {
  return new KubeError('NOT_FOUND', `${type.plural} "${name}" not found`, { status: 404 })
}

/** Keeps every event as `type reason message`. */
export class FakeRecorder implements EventRecorder {
  readonly events: string[] = []

  event(_on: EventTarget, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.events.push(`${type} ${reason} ${message}`)
  }
}
