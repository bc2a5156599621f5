import type { Hash } from '../../core/election/index.ts'
import { type OwnerReference, objectKey, type ResourceType } from '../../core/object.ts'
import {
  type Change,
  type Clock,
  type Informer,
  type KubeApi,
  KubeError,
  type Logger,
  type Task,
} from '../../ports/index.ts'
import { WorkQueue } from '../queue.ts'
import {
  canBecome,
  type Desired,
  isAsDesired,
  NAME_LABEL,
  NAMESPACE_LABEL,
  NODE_LABEL,
  nodeLabel,
  type ServiceStatusResource,
} from './desired.ts'

/** What is written about one Service. `state` are the fields of the kind itself, each null where it is absent. */
export interface StatusKind<State extends object> {
  readonly type: ResourceType<ServiceStatusResource>
  readonly generateName: string
  /** In log lines. */
  readonly controller: string
  readonly noun: string
  /** One node at a time announces a Service: what a dead one left behind is removed by the next. */
  readonly exclusive: boolean
  /** Undefined where nothing is announced. */
  stateOf(service: string): State | undefined
  /** Services announced now are told at once. */
  onChange(listener: (service: string) => void): () => void
}

export interface ServiceStatusOptions {
  readonly node: string
  /** MetalLB's own namespace: the objects live there. */
  readonly namespace: string
  /** The speaker's pod: its end takes the objects along. */
  readonly owner: OwnerReference
  /** Resolves when the announcements are complete for the first time: before that nothing would look announced. */
  readonly settled: Promise<void>
  readonly kube: KubeApi
  readonly statuses: Informer<ServiceStatusResource>
  readonly hash: Hash
  readonly clock: Clock
  readonly log: Logger
}

/** Keeps one status object for every Service that this node announces, and none for the others. */
export class ServiceStatusController<State extends object> implements Task {
  readonly name: string
  readonly #options: ServiceStatusOptions
  readonly #kind: StatusKind<State>
  readonly #label: string
  readonly #queue: WorkQueue
  /** Present objects by Service, then by name. */
  readonly #existing = new Map<string, Map<string, ServiceStatusResource>>()
  readonly #announced = new Set<string>()
  /** Announced since the last write: objects of the former owner, who may be dead, are removed once. Not for ever: two
   *  nodes that both announce would delete each other's objects without end. */
  readonly #takenOver = new Set<string>()
  #subscriptions: (() => void)[] = []

  constructor(kind: StatusKind<State>, options: ServiceStatusOptions) {
    this.name = kind.noun
    this.#kind = kind
    this.#options = options
    this.#label = nodeLabel(options.node, options.hash)
    const { clock, log } = options
    this.#queue = new WorkQueue({ name: kind.noun, clock, log, handle: key => this.#handle(key) })
  }

  start(): void {
    const { statuses, settled } = this.#options
    this.#subscriptions = [
      this.#kind.onChange(service => this.#follow(service)),
      statuses.subscribe(change => this.#observe(change)),
    ]
    void Promise.all([settled, statuses.whenSynced()]).then(() => this.#queue.start())
  }

  async stop(): Promise<void> {
    for (const unsubscribe of this.#subscriptions.splice(0)) unsubscribe()
    await this.#queue.stop()
  }

  ready(): true {
    return true
  }

  whenIdle(): Promise<void> {
    return this.#queue.whenIdle()
  }

  #follow(service: string): void {
    const announced = this.#kind.stateOf(service) !== undefined
    if (this.#kind.exclusive && announced && !this.#announced.has(service)) this.#takenOver.add(service)
    if (announced) this.#announced.add(service)
    else this.#announced.delete(service)
    this.#queue.add(service)
  }

  #observe({ kind, object }: Change<ServiceStatusResource>): void {
    const { [NODE_LABEL]: node, [NAME_LABEL]: name, [NAMESPACE_LABEL]: namespace } = object.metadata.labels ?? {}
    const key = objectKey(object.metadata)
    if (!node || !name || !namespace) {
      this.#options.log.error({
        controller: this.#kind.controller,
        status: key,
        error: 'object lacks a label',
        msg: 'ignored',
      })
      return
    }
    const service = objectKey({ namespace, name })
    const existing = this.#existing.get(service) ?? new Map<string, ServiceStatusResource>()
    if (kind === 'deleted') existing.delete(key)
    else existing.set(key, object)
    if (existing.size === 0) this.#existing.delete(service)
    else this.#existing.set(service, existing)
    if (node === this.#label) this.#queue.add(service)
  }

  async #handle(service: string): Promise<'done' | 'retry'> {
    const { log } = this.#options
    log.info({ controller: this.#kind.controller, 'start reconcile': service })
    try {
      await this.#reconcile(service)
      return 'done'
    } catch (error) {
      if (!(error instanceof KubeError)) throw error
      log.error({ controller: this.#kind.controller, service, error, msg: `failed to write the ${this.#kind.noun}` })
      return 'retry'
    } finally {
      log.info({ controller: this.#kind.controller, 'end reconcile': service })
    }
  }

  async #reconcile(service: string): Promise<void> {
    const desired = this.#desired(service)
    const existing = [...(this.#existing.get(service)?.values() ?? [])]
    const own = existing.filter(({ metadata }) => metadata.labels?.[NODE_LABEL] === this.#label)
    if (desired === undefined) return this.#deleteAll(own)
    const kept = own.find(object => canBecome(object, desired))
    const superfluous = this.#takenOver.has(service) ? existing : own
    await this.#deleteAll(superfluous.filter(object => object !== kept))
    this.#takenOver.delete(service)
    if (kept !== undefined) await this.#update(kept, desired)
    else await this.#create(desired)
  }

  #desired(service: string): Desired | undefined {
    const { node, owner } = this.#options
    const state = this.#kind.stateOf(service)
    if (state === undefined) return undefined
    const [serviceNamespace, serviceName] = service.split('/') as [string, string]
    const labels = { [NODE_LABEL]: this.#label, [NAME_LABEL]: serviceName, [NAMESPACE_LABEL]: serviceNamespace }
    return { labels, owner, status: { node, serviceName, serviceNamespace, ...state } }
  }

  async #update(current: ServiceStatusResource, desired: Desired): Promise<void> {
    if (isAsDesired(current, desired)) return
    const { kube } = this.#options
    const { name, namespace } = current.metadata
    const ref = { name, namespace }
    const metadata = { labels: { ...desired.labels }, ownerReferences: [desired.owner] }
    await kube.patch(this.#kind.type, ref, { type: 'merge', body: { metadata } })
    await kube.patch(this.#kind.type, ref, { type: 'merge', body: { status: desired.status } }, 'status')
  }

  /** The cache may lag behind our own last creation, so the API is asked before a second one. */
  async #create(desired: Desired): Promise<void> {
    const { kube, namespace } = this.#options
    const labelSelector = Object.entries(desired.labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(',')
    const [known] = await kube.list(this.#kind.type, { namespace, labelSelector })
    if (known !== undefined) return this.#update(known, desired)
    const labels = { ...desired.labels }
    const metadata = {
      name: '',
      generateName: this.#kind.generateName,
      namespace,
      labels,
      ownerReferences: [desired.owner],
    }
    const created = await kube.create(this.#kind.type, { metadata, spec: {} })
    const ref = { name: created.metadata.name, namespace }
    await kube.patch(this.#kind.type, ref, { type: 'merge', body: { status: desired.status } }, 'status')
  }

  async #deleteAll(objects: readonly ServiceStatusResource[]): Promise<void> {
    for (const { metadata } of objects) {
      try {
        await this.#options.kube.delete(this.#kind.type, { name: metadata.name, namespace: metadata.namespace })
      } catch (error) {
        if (!(error instanceof KubeError && error.code === 'NOT_FOUND')) throw error
      }
    }
  }
}
