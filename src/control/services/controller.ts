import { parseService, type ServiceResource, services } from '../../api/index.ts'
import { type Allocator, byAge, learn, type PoolUsage } from '../../core/allocator/index.ts'
import type { Pool } from '../../core/config/index.ts'
import { Listeners } from '../../core/listeners.ts'
import { objectKey } from '../../core/object.ts'
import { formatReason } from '../../core/reason.ts'
import type { Service } from '../../core/service.ts'
import type { Change, Counter, Logger, Task } from '../../ports/index.ts'
import { Alarm } from '../alarm.ts'
import { clientMetrics } from '../config/index.ts'
import { WorkQueue } from '../queue.ts'
import type { SyncResult } from '../sync.ts'
import { differInConditionsOnly } from './conditions.ts'
import { type DecisionSeams, Decisions, isOurs, refOf } from './decisions.ts'
import type { ServiceControllerOptions, UsageSource } from './options.ts'
import { Patience } from './patience.ts'
import { AwaitedVersions } from './versions.ts'
import { ServiceWriter } from './writer.ts'

/**
 * The controller's side of Services (chapter 02 section 1): which are decided, and when. One at a time is decided
 * (`Decisions`), several are written at once. The gate: nothing is decided before pools are in force and every address
 * that a status claims is held again (D1); after that Services come in the order of the queue, claims first.
 */
export class ServiceController implements Task, UsageSource {
  readonly name = 'services'
  readonly #options: ServiceControllerOptions
  readonly #log: Logger
  readonly #queue: WorkQueue
  /** Its one key is the wish to learn; it keeps trying until the API answers. */
  readonly #learning: WorkQueue
  readonly #seams: DecisionSeams
  readonly #updates: Counter
  readonly #usageListeners = new Listeners<readonly string[]>()
  /** Keys whose own object changed since they were last looked at. */
  readonly #changed = new Set<string>()
  /** Of this term of leadership; replaced when one ends. */
  #decisions: Decisions
  /** When the next quarantine ends. */
  readonly #expiry: Alarm
  readonly #patience: Patience
  #pools: readonly Pool[] | undefined
  #active: boolean
  #open = false
  #unsubscribe = () => {}

  constructor(options: ServiceControllerOptions) {
    const { clock, api, log, metrics, writers = 8, active = true } = options
    const { updates, updateErrors } = clientMetrics(metrics)
    const versions = new AwaitedVersions(clock)
    this.#options = options
    this.#log = log
    this.#active = active
    this.#updates = updates
    this.#seams = {
      ...{ options, versions, errors: updateErrors },
      writer: new ServiceWriter(api, log, versions),
      settle: () => this.#settle(),
      again: (key, afterMs) => this.#queue.addAfter(key, afterMs),
    }
    this.#decisions = new Decisions(this.#seams, [])
    this.#expiry = new Alarm(clock, () => {
      this.allocator.expire()
      this.#settle()
    })
    this.#patience = new Patience(clock, log, options.noPoolsGraceMs ?? 0, () => void this.#takeOver([]))
    this.#queue = new WorkQueue({ name: this.name, clock, log, workers: writers, handle: key => this.#handle(key) })
    this.#learning = new WorkQueue({ name: 'learning', clock, log, handle: () => this.#learn() })
  }

  start(): void {
    this.#queue.start()
    this.#learning.start()
    this.#unsubscribe = this.#options.services.subscribe(change => this.#onChange(change))
  }

  async stop(): Promise<void> {
    this.#unsubscribe()
    this.#patience.stop()
    this.#active = false
    await Promise.all([this.#learning.stop(), this.#queue.stop()])
    this.#expiry.set(undefined) // the last decision may have set it
  }

  ready(): true | string {
    if (!this.#options.services.synced) return 'waiting for the Services'
    return !this.#active || this.#pools === undefined || this.#open ? true : 'learning the addresses in use'
  }

  /** What is held; replaced when leadership begins or ends. */
  get allocator(): Allocator {
    return this.#decisions.allocator
  }

  get settled(): boolean {
    return this.#open
  }

  usage(pool: string): PoolUsage | undefined {
    return this.#open ? this.allocator.usage(pool) : undefined
  }

  onUsage(listener: (pools: readonly string[]) => void): () => void {
    return this.#usageListeners.add(listener)
  }

  /** Resolves when nothing is being decided or written; keys in back-off are not waited for. */
  async whenIdle(): Promise<void> {
    await this.#learning.whenIdle()
    await this.#queue.whenIdle()
  }

  /** Takes over the pools of a valid configuration (section 1.9); the first ones let the gate open. */
  setPools(pools: readonly Pool[]): SyncResult {
    return this.#patience.awaits(pools.length) ? 'success' : this.#takeOver(pools)
  }

  #takeOver(pools: readonly Pool[]): SyncResult {
    const deferred = this.#patience.end()
    this.#pools = pools
    const { changed, affected } = this.allocator.setPools(pools)
    if (!this.#open) this.#learnSoon()
    else if (changed) this.#reconsider(affected)
    for (const key of deferred) this.#queue.add(key)
    return 'success'
  }

  /** Whether this process decides. While it does not, it follows the Services and writes nothing. */
  setActive(active: boolean): void {
    if (active === this.#active) return
    this.#active = active
    if (active) this.#learnSoon()
    else this.#forgetEverything()
  }

  /** Another process decides from now on: what is held here means nothing any more. */
  #forgetEverything(): void {
    this.#open = false
    this.#decisions.end()
    this.#decisions = new Decisions(this.#seams, this.#pools ?? [])
    this.#seams.versions.clear()
    this.#changed.clear()
    this.#tell((this.#pools ?? []).map(({ name }) => name))
  }

  #learnSoon(): void {
    const { services } = this.#options
    if (!this.#active || this.#pools === undefined) return
    if (services.synced) this.#learning.add('learn')
    else void services.whenSynced().then(() => this.#learnSoon())
  }

  /** Phase one of D1, from what the API says now: the cache may lag behind the process that decided before. */
  async #learn(): Promise<'done'> {
    const decisions = this.#decisions
    const listed = await this.#options.api.list(services)
    if (!this.#active || this.#open || decisions !== this.#decisions) return 'done'
    const ours = listed.filter(resource => isOurs(resource, this.#options.lbClass)).map(parseService)
    for (const { key, resourceVersion } of ours) this.#seams.versions.expect(key, resourceVersion)
    const { held, refused } = learn(this.allocator, ours)
    for (const { service, reasons } of refused)
      this.#log.warn({ event: 'claimRefused', service: service.key, reason: reasons.map(formatReason).join('; ') })
    this.#log.info({ event: 'addressesLearned', held, refused: refused.length, msg: 'learned the addresses in use' })
    this.#open = true
    this.#publish()
    this.#enqueue(ours)
    for (const { metadata } of this.#options.services.list()) this.#queue.add(objectKey(metadata))
    return 'done'
  }

  /** Those that show an address first, each group by age (D1, D14). */
  #enqueue(list: readonly Service[]): void {
    const claims = list.filter(({ ingress }) => ingress.length > 0).sort(byAge)
    const others = list.filter(({ ingress }) => ingress.length === 0).sort(byAge)
    for (const { key } of [...claims, ...others]) this.#queue.add(key)
  }

  /** After a change of pools: the Services of changed pools, and all that lack something. */
  #reconsider(affected: Iterable<string>): void {
    const again = [...new Set([...affected, ...this.#decisions.lacking])].flatMap(key => this.#ownService(key) ?? [])
    this.#log.info({ event: 'force service reload', services: again.length })
    this.#publish()
    this.#enqueue(again)
  }

  #ownService(key: string): Service | undefined {
    const resource = this.#options.services.get(refOf(key))
    return resource !== undefined && isOurs(resource, this.#options.lbClass) ? parseService(resource) : undefined
  }

  #onChange(change: Change<ServiceResource>): void {
    const { object } = change
    this.#updates.inc()
    const key = objectKey(object.metadata)
    if (!this.#open) {
      const msg = 'filtered service, still waiting for the initial load to be performed'
      this.#log.debug({ controller: 'ServiceReconciler', service: key, msg })
      return
    }
    const echo = change.kind === 'updated' && differInConditionsOnly(change.before, object)
    if (!echo) this.#changed.add(key)
    this.#queue.add(key)
  }

  async #handle(key: string): Promise<'done' | 'retry'> {
    if (!this.#open) return 'done'
    if (this.#patience.waiting) {
      this.#patience.defer(key)
      return 'done'
    }
    const own = this.#changed.delete(key)
    if (own) this.#log.info({ controller: 'ServiceReconciler', 'start reconcile': key })
    const result = await this.#decisions.reconcile(key, own)
    if (own) this.#log.info({ controller: 'ServiceReconciler', 'end reconcile': key })
    if (result === 'retry' && own) this.#seams.errors.inc()
    return result
  }

  /** After every decision, once its write has begun: the counters are told, and the first who waits for what became free is next (D13). */
  #settle(): void {
    this.#publish()
    const next = this.allocator.waiting.next()
    if (next !== undefined) this.#queue.add(next)
    this.#expiry.set(this.allocator.nextExpiry)
  }

  #publish(): void {
    const touched = this.allocator.takeTouched()
    if (this.#open && touched.length > 0) this.#tell(touched)
  }

  #tell(pools: readonly string[]): void {
    this.#usageListeners.tell(pools)
  }
}
