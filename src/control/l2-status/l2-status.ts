import { type ServiceL2StatusResource, serviceL2Statuses } from '../../api/service-l2-status.ts'
import type { Hash } from '../../core/election/index.ts'
import { type OwnerReference, objectKey } from '../../core/object.ts'
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
import { canBecome, type Desired, isAsDesired, NAME_LABEL, NAMESPACE_LABEL, NODE_LABEL, nodeLabel } from './desired.ts'

/** What this node announces by layer 2 (`Layer2Protocol`). */
export interface Layer2Announcements {
  /** Interfaces, names sorted; undefined where the Service is not announced. */
  announcedOn(service: string): readonly string[] | 'all' | undefined
  /** Services announced now are told at once. */
  onChange(listener: (service: string) => void): () => void
}

export interface L2StatusOptions {
  readonly node: string
  /** MetalLB's own namespace: the objects live there. */
  readonly namespace: string
  /** The speaker's pod: its end takes the objects along. */
  readonly owner: OwnerReference
  readonly announcements: Layer2Announcements
  /** Resolves when the announcements are complete for the first time: before that nothing would look announced. */
  readonly settled: Promise<void>
  readonly kube: KubeApi
  readonly statuses: Informer<ServiceL2StatusResource>
  readonly hash: Hash
  readonly clock: Clock
  readonly log: Logger
}

/** Keeps one ServiceL2Status for every Service that this node announces, and none for the others. */
export class L2StatusController implements Task {
  readonly name = 'layer 2 status'
  readonly #options: L2StatusOptions
  readonly #label: string
  readonly #queue: WorkQueue
  /** Present objects by Service, then by name. */
  readonly #existing = new Map<string, Map<string, ServiceL2StatusResource>>()
  readonly #announced = new Set<string>()
  /** Announced since the last write: objects of the former owner, who may be dead, are removed once. Not for ever: two
   *  nodes that both announce would delete each other's objects without end. */
  readonly #takenOver = new Set<string>()
  #subscriptions: (() => void)[] = []

  constructor(options: L2StatusOptions) {
    this.#options = options
    this.#label = nodeLabel(options.node, options.hash)
    const { clock, log } = options
    this.#queue = new WorkQueue({ name: 'layer 2 status', clock, log, handle: key => this.#handle(key) })
  }

  start(): void {
    const { announcements, statuses, settled } = this.#options
    this.#subscriptions = [
      announcements.onChange(service => this.#follow(service)),
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
    const announced = this.#options.announcements.announcedOn(service) !== undefined
    if (announced && !this.#announced.has(service)) this.#takenOver.add(service)
    if (announced) this.#announced.add(service)
    else this.#announced.delete(service)
    this.#queue.add(service)
  }

  #observe({ kind, object }: Change<ServiceL2StatusResource>): void {
    const { [NODE_LABEL]: node, [NAME_LABEL]: name, [NAMESPACE_LABEL]: namespace } = object.metadata.labels ?? {}
    const key = objectKey(object.metadata)
    if (!node || !name || !namespace) {
      this.#options.log.error({ controller: CONTROLLER, status: key, error: 'object lacks a label', msg: 'ignored' })
      return
    }
    const service = objectKey({ namespace, name })
    const existing = this.#existing.get(service) ?? new Map<string, ServiceL2StatusResource>()
    if (kind === 'deleted') existing.delete(key)
    else existing.set(key, object)
    if (existing.size === 0) this.#existing.delete(service)
    else this.#existing.set(service, existing)
    if (node === this.#label) this.#queue.add(service)
  }

  async #handle(service: string): Promise<'done' | 'retry'> {
    const { log } = this.#options
    log.info({ controller: CONTROLLER, 'start reconcile': service })
    try {
      await this.#reconcile(service)
      return 'done'
    } catch (error) {
      if (!(error instanceof KubeError)) throw error
      log.error({ controller: CONTROLLER, service, error, msg: 'failed to write the layer 2 status' })
      return 'retry'
    } finally {
      log.info({ controller: CONTROLLER, 'end reconcile': service })
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
    const { announcements, node, owner } = this.#options
    const interfaces = announcements.announcedOn(service)
    if (interfaces === undefined) return undefined
    const [serviceNamespace, serviceName] = service.split('/') as [string, string]
    const labels = { [NODE_LABEL]: this.#label, [NAME_LABEL]: serviceName, [NAMESPACE_LABEL]: serviceNamespace }
    const names = interfaces === 'all' ? {} : { interfaces: interfaces.map(name => ({ name })) }
    return { labels, owner, status: { node, serviceName, serviceNamespace, ...names } }
  }

  async #update(current: ServiceL2StatusResource, desired: Desired): Promise<void> {
    if (isAsDesired(current, desired)) return
    const { kube } = this.#options
    const { name, namespace } = current.metadata
    const ref = { name, namespace }
    const metadata = { labels: { ...desired.labels }, ownerReferences: [desired.owner] }
    await kube.patch(serviceL2Statuses, ref, { type: 'merge', body: { metadata } })
    // A merge patch keeps what it does not name: absent interfaces have to be taken away.
    const status = { interfaces: null, ...desired.status }
    await kube.patch(serviceL2Statuses, ref, { type: 'merge', body: { status } }, 'status')
  }

  /** The cache may lag behind our own last creation, so the API is asked before a second one. */
  async #create(desired: Desired): Promise<void> {
    const { kube, namespace } = this.#options
    const labelSelector = Object.entries(desired.labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(',')
    const [known] = await kube.list(serviceL2Statuses, { namespace, labelSelector })
    if (known !== undefined) return this.#update(known, desired)
    const labels = { ...desired.labels }
    const metadata = { name: '', generateName: 'l2-', namespace, labels, ownerReferences: [desired.owner] }
    const created = await kube.create(serviceL2Statuses, { metadata, spec: {} })
    const ref = { name: created.metadata.name, namespace }
    await kube.patch(serviceL2Statuses, ref, { type: 'merge', body: { status: desired.status } }, 'status')
  }

  async #deleteAll(objects: readonly ServiceL2StatusResource[]): Promise<void> {
    for (const { metadata } of objects) {
      try {
        await this.#options.kube.delete(serviceL2Statuses, { name: metadata.name, namespace: metadata.namespace })
      } catch (error) {
        if (!(error instanceof KubeError && error.code === 'NOT_FOUND')) throw error
      }
    }
  }
}

const CONTROLLER = 'Layer2StatusReconciler'
