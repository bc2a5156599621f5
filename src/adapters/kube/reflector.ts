/** List and watch that always recovers: the Informer port over HTTP. README.md has the table of failures. */
import type { KubeObject, ObjectRef, ResourceType } from '../../core/object.ts'
import {
  type Change,
  type Clock,
  type Informer,
  isTransient,
  KubeError,
  type Logger,
  type Random,
} from '../../ports/index.ts'
import { ObjectCache } from './cache.ts'
import { type KubeClient, PAGE_SIZE } from './client.ts'
import { collectionPath, formatQuery } from './paths.ts'
import { backoffMs, pause } from './retry.ts'
import { type WatchEvent, watch } from './watch.ts'

export interface InformerOptions<T extends KubeObject = KubeObject> {
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** Keeps less of each object; may change and answer the object it is given. */
  readonly project?: (object: T) => T
  /**
   * Keeps `last-applied-configuration` too: for objects that are written back whole, where a missing annotation is a
   * deleted one. Field managers stay away in any case; the API keeps those that are not mentioned.
   */
  readonly whole?: boolean
  readonly timing?: Partial<ReflectorTiming>
}

export interface ReflectorTiming {
  /** The server is asked to end a watch after this long, plus up to a quarter by chance. */
  readonly watchMs: number
  /** A watch that says nothing for so long is opened again; API servers send a bookmark every minute. */
  readonly idleMs: number
  /** Everything is listed anew after this long, plus up to as much by chance: the answer to losses nobody thought of. */
  readonly relistMs: number
  /** Between two lists where the API does not allow to watch. */
  readonly pollMs: number
  readonly backoffMs: typeof backoffMs
}

const TIMING: ReflectorTiming = {
  watchMs: 240_000,
  idleMs: 150_000,
  relistMs: 12 * 3_600_000,
  pollMs: 30_000,
  backoffMs,
}
/** A watch that ends sooner after it was accepted counts as a failure: no server may be asked in a hot loop. */
const SETTLED_MS = 1_000
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

export interface ReflectorContext {
  readonly client: KubeClient
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

export interface InformerStatus {
  readonly type: string
  readonly synced: boolean
  readonly objects: number
  readonly resourceVersion?: string
  /** Since the API was last heard of in this matter; undefined before the first time. */
  readonly silentMs?: number
  readonly error?: string
}

export class Reflector<T extends KubeObject> implements Informer<T> {
  readonly type: ResourceType<T>
  readonly #context: ReflectorContext
  readonly #options: InformerOptions<T>
  readonly #timing: ReflectorTiming
  readonly #cache: ObjectCache<T>
  readonly #stopping = new AbortController()
  /** Failed requests are for our own back-off. */
  readonly #once = { attempts: 1, signal: this.#stopping.signal }
  #running: Promise<void> | undefined
  /** Where the next watch goes on; undefined: begin with a list. */
  #version: string | undefined
  #relistAt = 0
  #heardAt: number | undefined
  /** When the server accepted the present watch. */
  #openedAt = Number.POSITIVE_INFINITY
  #error: KubeError | undefined
  #synced = false
  /** The API lets us list and not watch, as the reference's manifests do with pods: then lists must do. */
  #polling = false
  #waiting: (() => void)[] = []

  constructor(context: ReflectorContext, type: ResourceType<T>, options: InformerOptions<T> = {}) {
    this.type = type
    this.#context = context
    this.#options = options
    this.#timing = { ...TIMING, ...options.timing }
    this.#cache = new ObjectCache(context.log)
  }

  get synced(): boolean {
    return this.#synced
  }

  async whenSynced(): Promise<void> {
    if (!this.#synced) await new Promise<void>(resolve => this.#waiting.push(resolve))
  }

  get(ref: ObjectRef): T | undefined {
    return this.#cache.get(ref)
  }

  list(): T[] {
    return this.#cache.list()
  }

  subscribe(listener: (change: Change<T>) => void): () => void {
    return this.#cache.subscribe(listener)
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** Afterwards no listener is called any more; the objects stay readable. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  status(): InformerStatus {
    const heardAt = this.#heardAt
    return {
      type: this.type.plural,
      synced: this.#synced,
      objects: this.#cache.size,
      resourceVersion: this.#version,
      ...(heardAt !== undefined && { silentMs: Math.round(this.#context.clock.monotonic() - heardAt) }),
      ...(this.#error !== undefined && { error: this.#error.message }),
    }
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#context
    const { signal } = this.#stopping
    let failures = 0
    while (!signal.aborted) {
      this.#openedAt = Number.POSITIVE_INFINITY
      const error = await this.#round()
      if (signal.aborted) return
      const settled = clock.monotonic() - this.#openedAt >= SETTLED_MS
      if (settled) failures = 0
      if (error === undefined && settled) continue
      await pause(clock, this.#timing.backoffMs(++failures, random, error?.retryAfterMs), signal)
    }
  }

  /** One list, where one is needed, and one watch; answers what ended it, undefined where the server meant to. */
  async #round(): Promise<KubeError | undefined> {
    try {
      if (this.#version === undefined || this.#context.clock.monotonic() >= this.#relistAt) await this.#list()
      else await this.#probe(this.#version)
      await this.#watch()
      return undefined
    } catch (error) {
      return this.#stopping.signal.aborted ? undefined : this.#failed(error)
    }
  }

  async #list(): Promise<void> {
    const { client, clock, random } = this.#context
    const objects: T[] = []
    let version = ''
    for await (const page of client.pages(this.type, this.#options, PAGE_SIZE, this.#once)) {
      for (const object of page.items) objects.push(this.#cache.same(this.#reduce(object)))
      version = page.resourceVersion
      this.#heard()
    }
    this.#cache.replace(objects)
    this.#version = version
    this.#relistAt = clock.monotonic() + this.#timing.relistMs * (1 + random.next())
    this.#synced = true
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  /**
   * Asks where the server stands before a watch goes on. A server whose data was restored from a backup may be behind
   * us, and a watch from the future would stay silent for ever.
   */
  async #probe(version: string): Promise<void> {
    const { client } = this.#context
    const { resourceVersion } = await client.page(this.type, this.#options, { limit: 1 }, this.#once)
    this.#heard()
    if (isOlder(resourceVersion, version)) await this.#list()
  }

  async #watch(): Promise<void> {
    const { client, clock, random } = this.#context
    const { namespace, labelSelector, fieldSelector } = this.#options
    const query = formatQuery({
      watch: true,
      allowWatchBookmarks: true,
      resourceVersion: this.#version,
      timeoutSeconds: Math.ceil((this.#timing.watchMs * (1 + random.next() / 4)) / 1000),
      labelSelector,
      fieldSelector,
    })
    const path = collectionPath(this.type, namespace) + query
    const opened = () => {
      this.#openedAt = clock.monotonic()
    }
    const options = { path, idleMs: this.#timing.idleMs, signal: this.#stopping.signal, opened }
    try {
      await watch(client.connection, options, event => this.#handle(event))
    } catch (error) {
      if (!(error instanceof KubeError) || error.code !== 'FORBIDDEN') throw error
      await this.#poll(error)
    }
  }

  #handle(event: WatchEvent): void {
    this.#heard()
    const version = event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata.resourceVersion
    if (version !== undefined && this.#version !== undefined && isOlder(version, this.#version))
      throw new KubeError('GONE', `${this.type.plural}: resource version went back from ${this.#version} to ${version}`)
    if (event.type === 'DELETED') this.#cache.remove(this.#reduce(event.object as T))
    else if (event.type !== 'BOOKMARK') this.#cache.put(this.#reduce(event.object as T))
    this.#version = version ?? this.#version
  }

  /** Drops what nobody here reads and what makes up half of a typical object. */
  #reduce(object: T): T {
    const metadata = object.metadata as T['metadata'] & { managedFields?: unknown }
    delete metadata.managedFields
    if (this.#options.whole !== true) delete metadata.annotations?.[LAST_APPLIED]
    return this.#options.project === undefined ? object : this.#options.project(object)
  }

  #heard(): void {
    this.#heardAt = this.#context.clock.monotonic()
    if (this.#error === undefined) return
    this.#context.log.info({ op: 'watch', resource: this.type.plural, msg: 'API server answers again' })
    this.#error = undefined
  }

  async #poll(error: KubeError): Promise<void> {
    const { log, clock } = this.#context
    const msg = 'no right to watch, listing from time to time instead'
    if (!this.#polling) log.warn({ op: 'watch', resource: this.type.plural, error, msg })
    this.#polling = true
    this.#version = undefined
    await pause(clock, this.#timing.pollMs, this.#stopping.signal)
    this.#openedAt = Number.NEGATIVE_INFINITY // not a failure: no back-off
  }

  /** Whatever may mean that changes were missed (410, garbage, a refused version) leads to a new list. */
  #failed(error: unknown): KubeError {
    const failure = error instanceof KubeError ? error : new KubeError('MALFORMED', (error as Error).message)
    if (!isTransient(failure)) this.#version = undefined
    if (this.#error?.message !== failure.message)
      this.#context.log.warn({ op: 'watch', resource: this.type.plural, error: failure, msg: 'list or watch failed' })
    this.#error = failure
    return failure
  }
}

/** Resource versions of one collection are ordered as whole numbers (KEP-5504); others are never older. */
export function isOlder(version: string, than: string): boolean {
  if (!/^\d+$/.test(version) || !/^\d+$/.test(than)) return false
  return version.length === than.length ? version < than : version.length < than.length
}
