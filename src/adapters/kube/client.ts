/** Single requests to the Kubernetes API: the KubeApi port over HTTP. */
import { apiVersionOf, type KubeObject, type ObjectRef, type ResourceType } from '../../core/object.ts'
import { type KubeApi, KubeError, type ListOptions, type Patch, type Random } from '../../ports/index.ts'
import { type ApiAnswer, type ApiRequest, type Connection, describe } from './connection.ts'
import { type Fields, formatJson, isFields, parseJson } from './json.ts'
import { collectionPath, formatQuery, objectPath } from './paths.ts'
import { pause, readRetryDelayMs } from './retry.ts'
import { errorOfAnswer } from './status.ts'

/** Objects asked for at once: pages keep the event loop free and the memory low. */
export const PAGE_SIZE = 500
const READ_ATTEMPTS = 4
const LIST_ATTEMPTS = 3

const PATCH_TYPES: Readonly<Record<Patch['type'], string>> = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
}

export interface Page<T> {
  readonly items: T[]
  readonly resourceVersion: string
  readonly next?: string
}

export interface ReadOptions {
  readonly signal?: AbortSignal
  /** Of each request while the failure may pass by itself. Default 4; 1 for callers with a back-off of their own. */
  readonly attempts?: number
}

export class KubeClient implements KubeApi {
  /** For raw requests and streams. */
  readonly connection: Connection
  readonly #random: Random

  constructor(connection: Connection, random: Random) {
    this.connection = connection
    this.#random = random
  }

  async get<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef): Promise<T> {
    const request: ApiRequest = { method: 'GET', path: objectPath(type, ref) }
    return toObject(request, await this.#read(request)) as T
  }

  /** Pages through the whole list; begins anew where the list outlived its continue token (410). */
  async list<T extends KubeObject>(type: ResourceType<T>, options: ListOptions = {}): Promise<T[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        const items: T[] = []
        for await (const page of this.pages(type, options, attempt < LIST_ATTEMPTS ? PAGE_SIZE : 0))
          items.push(...page.items)
        return items
      } catch (error) {
        if (!(error instanceof KubeError && error.code === 'GONE') || attempt === LIST_ATTEMPTS) throw error
      }
    }
  }

  /** The pages of one list, each of at most `limit` objects; 0 asks for all at once. */
  async *pages<T extends KubeObject>(
    type: ResourceType<T>,
    options: ListOptions,
    limit: number,
    how: ReadOptions = {},
  ) {
    let next: string | undefined
    do {
      const page: Page<T> = await this.page(type, options, { limit: limit || undefined, next }, how)
      yield page
      next = page.next
    } while (next !== undefined)
  }

  async page<T extends KubeObject>(
    type: ResourceType<T>,
    { namespace, labelSelector, fieldSelector }: ListOptions,
    { limit, next }: { limit?: number; next?: string },
    { signal, attempts }: ReadOptions = {},
  ): Promise<Page<T>> {
    const query = formatQuery({ labelSelector, fieldSelector, limit, continue: next })
    const request: ApiRequest = { method: 'GET', path: collectionPath(type, namespace) + query, signal }
    return toPage(type, request, await this.#read(request, attempts))
  }

  async create<T extends KubeObject>(type: ResourceType<T>, object: T): Promise<T> {
    const namespace = object.metadata.namespace
    if (type.namespaced && !namespace) throw new KubeError('INVALID', `${type.plural}: namespace is missing`)
    return await this.#write<T>('POST', collectionPath(type, namespace), formatJson(withKind(type, object)))
  }

  async replace<T extends KubeObject>(type: ResourceType<T>, object: T, subresource?: 'status'): Promise<T> {
    return await this.#write<T>(
      'PUT',
      objectPath(type, object.metadata, subresource),
      formatJson(withKind(type, object)),
    )
  }

  async patch<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef, patch: Patch, subresource?: 'status') {
    const { fieldManager, force } = { fieldManager: undefined, force: undefined, ...patch }
    const path = objectPath(type, ref, subresource) + formatQuery({ fieldManager, force })
    return await this.#write<T>('PATCH', path, formatJson(patch.body), PATCH_TYPES[patch.type])
  }

  async delete(type: ResourceType, ref: ObjectRef, preconditions?: { uid?: string; resourceVersion?: string }) {
    const body = formatJson({ apiVersion: 'v1', kind: 'DeleteOptions', ...(preconditions && { preconditions }) })
    const request: ApiRequest = { method: 'DELETE', path: objectPath(type, ref), body }
    ensureSuccess(request, await this.connection.request(request))
  }

  async #write<T>(method: 'POST' | 'PUT' | 'PATCH', path: string, body: string, contentType?: string): Promise<T> {
    const request: ApiRequest = { method, path, body, contentType }
    const answer = await this.connection.request(request)
    ensureSuccess(request, answer)
    return toFields(request, answer) as unknown as T // reviews come back without a name
  }

  /** Only reads are repeated: whether a write that got no answer took place is for the caller to find out. */
  async #read(request: ApiRequest, attempts = READ_ATTEMPTS): Promise<ApiAnswer> {
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await this.connection.request(request)
        ensureSuccess(request, answer)
        return answer
      } catch (error) {
        const delayMs = attempt < attempts ? readRetryDelayMs(error, attempt, this.#random) : undefined
        if (delayMs === undefined || request.signal?.aborted) throw error
        await pause(this.connection.clock, delayMs, request.signal)
      }
    }
  }
}

function withKind<T extends KubeObject>(type: ResourceType<T>, object: T): T {
  return { ...object, apiVersion: apiVersionOf(type), kind: type.kind }
}

function ensureSuccess(request: ApiRequest, { status, headers, text }: ApiAnswer): void {
  if (status < 200 || status >= 300) throw errorOfAnswer(describe(request), status, headers['retry-after'], text)
}

function toFields(request: ApiRequest, { text }: ApiAnswer): Fields {
  let value: unknown
  try {
    value = parseJson(text)
  } catch (error) {
    throw new KubeError('MALFORMED', `${describe(request)}: the answer is not JSON: ${(error as Error).message}`)
  }
  if (isFields(value)) return value
  throw new KubeError('MALFORMED', `${describe(request)}: the answer is not a JSON object`)
}

function toObject(request: ApiRequest, answer: ApiAnswer): Fields {
  const object = toFields(request, answer)
  if (isObject(object)) return object
  throw new KubeError('MALFORMED', `${describe(request)}: the answer has no metadata.name`)
}

/** Whether this can be kept in a cache: it has a name. */
export function isObject(value: unknown): value is Fields & KubeObject {
  return isFields(value) && isFields(value.metadata) && typeof value.metadata.name === 'string'
}

function toPage<T extends KubeObject>(type: ResourceType<T>, request: ApiRequest, answer: ApiAnswer): Page<T> {
  const { items, metadata } = toFields(request, answer)
  const { resourceVersion, continue: next } = isFields(metadata) ? metadata : {}
  const list = items ?? [] // Go writes an empty list as null
  if (!Array.isArray(list) || typeof resourceVersion !== 'string' || !list.every(isObject))
    throw new KubeError('MALFORMED', `${describe(request)}: the answer is not a list of ${type.plural}`)
  const named = list.map(item => Object.assign(item, { apiVersion: apiVersionOf(type), kind: type.kind }))
  return { items: named as unknown as T[], resourceVersion, ...(typeof next === 'string' && next !== '' && { next }) }
}
