/** What the inside asks of the Kubernetes API: single requests, caches that follow it, and events. */
import type { KubeObject, ObjectRef, ResourceType } from '../core/object.ts'

export type KubeErrorCode =
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'CONFLICT'
  | 'GONE'
  | 'INVALID'
  | 'FORBIDDEN'
  | 'UNAUTHORIZED'
  | 'TOO_MANY_REQUESTS'
  | 'SERVER'
  | 'NETWORK'
  | 'MALFORMED'

/** A request the API refused, or an answer that never came or could not be read. */
export class KubeError extends Error {
  override readonly name = 'KubeError'
  readonly code: KubeErrorCode
  /** The HTTP status, where there was an answer. */
  readonly status?: number
  /** From Retry-After, where the server gave one. */
  readonly retryAfterMs?: number

  constructor(code: KubeErrorCode, message: string, details: { status?: number; retryAfterMs?: number } = {}) {
    super(message)
    this.code = code
    this.status = details.status
    this.retryAfterMs = details.retryAfterMs
  }
}

const TRANSIENT: ReadonlySet<KubeErrorCode> = new Set(['NETWORK', 'SERVER', 'TOO_MANY_REQUESTS'])

/** Whether the failure may pass by itself: nothing was decided about the request. */
export function isTransient(error: unknown): error is KubeError {
  return error instanceof KubeError && TRANSIENT.has(error.code)
}

export interface ListOptions {
  namespace?: string
  labelSelector?: string
  fieldSelector?: string
}

export type Patch =
  | { type: 'merge'; body: unknown; fieldManager?: string }
  | { type: 'json'; body: unknown }
  /** Server-side apply. */
  | { type: 'apply'; body: unknown; fieldManager: string; force?: boolean }

/** Every call rejects with a KubeError and nothing else. */
export interface KubeApi {
  get<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef): Promise<T>
  list<T extends KubeObject>(type: ResourceType<T>, options?: ListOptions): Promise<T[]>
  create<T extends KubeObject>(type: ResourceType<T>, object: T): Promise<T>
  /** PUT of the whole object; with a resourceVersion a concurrent change gives CONFLICT. */
  replace<T extends KubeObject>(type: ResourceType<T>, object: T, subresource?: 'status'): Promise<T>
  patch<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef, patch: Patch, subresource?: 'status'): Promise<T>
  delete(type: ResourceType, ref: ObjectRef, preconditions?: { uid?: string; resourceVersion?: string }): Promise<void>
}

export type Change<T> =
  | { kind: 'added'; object: T }
  | { kind: 'updated'; before: T; object: T }
  | { kind: 'deleted'; object: T }

/** A cache of one kind that follows the API and always recovers. Objects are shared: never change one. */
export interface Informer<T extends KubeObject> {
  /** True once the first complete list has arrived; never false again. */
  readonly synced: boolean
  whenSynced(): Promise<void>
  get(ref: ObjectRef): T | undefined
  list(): T[]
  /** Present objects are replayed as `added`, synchronously; the answer ends the subscription. */
  subscribe(listener: (change: Change<T>) => void): () => void
}

/** Records Kubernetes events: rate-limited and aggregated, and never in the way of the caller. */
export interface EventRecorder {
  event(on: EventTarget, type: 'Normal' | 'Warning', reason: string, message: string): void
}

export interface EventTarget extends ObjectRef {
  apiVersion: string
  kind: string
  uid?: string
  resourceVersion?: string
}
