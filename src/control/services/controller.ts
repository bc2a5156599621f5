import { parseService, type ServiceResource, services } from '../../api/index.ts'
import { Allocator, byAge, converge, learn, type Outcome, type PoolUsage } from '../../core/allocator/index.ts'
import type { Pool } from '../../core/config/index.ts'
import { type ObjectRef, objectKey } from '../../core/object.ts'
import { formatReason } from '../../core/reason.ts'
import { POOL_ANNOTATION, type Service } from '../../core/service.ts'
import type { Change, Counter, Logger, Task } from '../../ports/index.ts'
import { Alarm } from '../alarm.ts'
import { clientMetrics } from '../config/index.ts'
import { WorkQueue } from '../queue.ts'
import type { SyncResult } from '../sync.ts'
import { Announcer } from './announcer.ts'
import { differInConditionsOnly, isWorthWriting, withVerdict } from './conditions.ts'
import type { ServiceControllerOptions, UsageSource } from './options.ts'
import { Patience } from './patience.ts'
import { AwaitedVersions } from './versions.ts'
import { CONTESTED, WriteBudget } from './write-budget.ts'
import { ServiceWriter } from './writer.ts'

/**
 * The controller's side of Services (chapter 02 section 1). It decides one Service at a time, synchronously, and
 * writes several at once. The gate: nothing is decided before pools are in force and every address that a status
 * claims is held again (D1); after that Services are decided in the order of the queue, claims first.
 */
export class ServiceController implements Task, UsageSource {
  readonly name = 'services'
  readonly #options: ServiceControllerOptions
  readonly #log: Logger
  readonly #queue: WorkQueue
  /** Its one key is the wish to learn; it keeps trying until the API answers. */
  readonly #learning: WorkQueue
  readonly #versions: AwaitedVersions
  readonly #writer: ServiceWriter
  readonly #budget: WriteBudget
  readonly #announcer: Announcer
  readonly #updates: Counter
  readonly #errors: Counter
  readonly #usageListeners = new Set<(pools: readonly string[]) => void>()
  /** Keys whose own object changed since they were last looked at. */
  readonly #changed = new Set<string>()
  /** No longer ours, and their annotation is still to be removed (D16). */
  readonly #disowned = new Set<string>()
  /** LoadBalancer Services that lack an address: whatever pools change, they are looked at again. */
  readonly #lacking = new Set<string>()
  #allocator: Allocator
  /** When the next quarantine ends. */
  readonly #expiry: Alarm
  readonly #patience: Patience
  #pools: readonly Pool[] | undefined
  #active: boolean
  #open = false
  /** Counts terms of leadership: what was begun in an earlier one is void. */
  #term = 0
  #unsubscribe = () => {}

  constructor(options: ServiceControllerOptions) {
    const { clock, api, metrics, recorder, writers = 8, active = true } = options
    this.#options = options
    this.#allocator = new Allocator(() => clock.monotonic())
    this.#expiry = new Alarm(clock, () => {
      this.#allocator.expire()
      this.#settle()
    })
    this.#patience = new Patience(clock, options.log, options.noPoolsGraceMs ?? 0, () => void this.#takeOver([]))
    this.#log = options.log
    this.#active = active
    this.#versions = new AwaitedVersions(clock)
    this.#writer = new ServiceWriter(api, this.#log, this.#versions)
    this.#budget = new WriteBudget(clock)
    this.#announcer = new Announcer(recorder, this.#log)
    const { updates, updateErrors } = clientMetrics(metrics)
    this.#updates = updates
    this.#errors = updateErrors
    const { log } = options
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
    this.#expiry.set(undefined)
    this.#patience.stop()
    this.#active = false
    await Promise.all([this.#learning.stop(), this.#queue.stop()])
  }

  ready(): true | string {
    if (!this.#options.services.synced) return 'waiting for the Services'
    return !this.#active || this.#pools === undefined || this.#open ? true : 'learning the addresses in use'
  }

  /** What is held; replaced when leadership begins or ends. */
  get allocator(): Allocator {
    return this.#allocator
  }

  get settled(): boolean {
    return this.#open
  }

  usage(pool: string): PoolUsage | undefined {
    return this.#open ? this.#allocator.usage(pool) : undefined
  }

  onUsage(listener: (pools: readonly string[]) => void): () => void {
    this.#usageListeners.add(listener)
    return () => void this.#usageListeners.delete(listener)
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
    const { changed, affected } = this.#allocator.setPools(pools)
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
    this.#term++
    this.#open = false
    this.#allocator = new Allocator(() => this.#options.clock.monotonic())
    this.#allocator.setPools(this.#pools ?? [])
    this.#versions.clear()
    this.#announcer.clear()
    this.#disowned.clear()
    this.#lacking.clear()
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
    const term = this.#term
    const listed = await this.#options.api.list(services)
    if (!this.#active || this.#open || term !== this.#term) return 'done'
    const ours = listed.filter(resource => this.#isOurs(resource)).map(parseService)
    for (const { key, resourceVersion } of ours) this.#versions.expect(key, resourceVersion)
    const { held, refused } = learn(this.#allocator, ours)
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
    const again = [...new Set([...affected, ...this.#lacking])].flatMap(key => this.#ownService(key) ?? [])
    this.#log.info({ event: 'force service reload', services: again.length })
    this.#publish()
    this.#enqueue(again)
  }

  #ownService(key: string): Service | undefined {
    const resource = this.#options.services.get(refOf(key))
    return resource !== undefined && this.#isOurs(resource) ? parseService(resource) : undefined
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
    const result = await this.#reconcile(key, own)
    if (own) this.#log.info({ controller: 'ServiceReconciler', 'end reconcile': key })
    if (result === 'retry' && own) this.#errors.inc()
    return result
  }

  async #reconcile(key: string, own: boolean): Promise<'done' | 'retry'> {
    const resource = this.#options.services.get(refOf(key))
    if (resource === undefined) return this.#gone(key)
    if (this.#versions.isStale(key, resource.metadata.resourceVersion)) {
      this.#queue.addAfter(key, STALE_MS)
      return 'done'
    }
    const waitMs = this.#budget.waitMs(key)
    if (waitMs > 0) {
      this.#log.warn({ event: 'rewriteLimited', service: key, waitMs, msg: CONTESTED })
      this.#queue.addAfter(key, waitMs)
      return 'done'
    }
    return this.#isOurs(resource) ? this.#decide(resource, own) : this.#disown(resource)
  }

  #gone(key: string): 'done' {
    this.#forget(key)
    this.#disowned.delete(key)
    this.#versions.forget(key)
    this.#budget.forget(key)
    if (this.#allocator.release(key)) this.#log.info({ event: 'serviceDeleted', service: key, msg: 'service deleted' })
    this.#settle()
    return 'done'
  }

  async #decide(resource: ServiceResource, own: boolean): Promise<'done' | 'retry'> {
    const service = parseService(resource)
    const outcome = converge(this.#allocator, service, this.#options)
    this.#allocator.wait(service, outcome.needs)
    const { key, type } = service
    const served = this.#allocator.allocationOf(key) !== undefined && !this.#allocator.waiting.has(key)
    if (served || type !== 'LoadBalancer') this.#lacking.delete(key)
    else this.#lacking.add(key)
    this.#announcer.announce(service, outcome)
    const changed = outcome.changed || this.#hasNews(resource, outcome)
    const written = changed ? this.#write(resource, outcome) : 'done'
    this.#settle()
    if (outcome.result !== 'success' && own) {
      this.#errors.inc()
      this.#log.error({ controller: 'ServiceReconciler', service: service.key, event: 'failed to handle service' })
    }
    if (!changed) this.#log.debug({ event: 'noChange', service: service.key, msg: UNCHANGED })
    return written
  }

  /** D16: not ours any more. Its status is left alone where another implementation may have taken over. */
  async #disown(resource: ServiceResource): Promise<'done' | 'retry'> {
    const { key, type, ingress, annotations } = parseService(resource)
    this.#forget(key)
    if (this.#allocator.release(key)) this.#disowned.add(key)
    if (!this.#disowned.has(key)) {
      this.#log.debug({ event: 'filtered', service: key, msg: 'filtered service' })
      return 'done'
    }
    const addresses = type === 'LoadBalancer' ? ingress.flatMap(({ address }) => address ?? []) : []
    const clean = annotations[POOL_ANNOTATION] === undefined && (addresses.length > 0 || ingress.length === 0)
    const written = clean ? 'done' : this.#write(resource, { addresses, pool: undefined, verdict: undefined })
    this.#settle()
    const result = await written
    if (result === 'done') this.#disowned.delete(key)
    return result
  }

  async #write(
    resource: ServiceResource,
    { addresses, pool, verdict }: Pick<Outcome, 'addresses' | 'pool' | 'verdict'>,
  ): Promise<'done' | 'retry'> {
    const term = this.#term
    const { conditions: wanted = true, clock } = this.#options
    const conditions = wanted ? withVerdict(resource, verdict, clock.now()) : undefined
    const result = await this.#writer.write(resource, { addresses, pool, conditions }, () => term === this.#term)
    if (result === 'done') this.#budget.spend(objectKey(resource.metadata))
    return result
  }

  #hasNews(resource: ServiceResource, { verdict }: Outcome): boolean {
    return this.#options.conditions !== false && isWorthWriting(resource, verdict)
  }

  #forget(key: string): void {
    this.#announcer.forget(key)
    this.#allocator.waiting.forget(key)
    this.#lacking.delete(key)
  }

  /** After every decision, once its write has begun: the counters are told, and the first who waits for what became free is next (D13). */
  #settle(): void {
    this.#publish()
    const next = this.#allocator.waiting.next()
    if (next !== undefined) this.#queue.add(next)
    this.#expiry.set(this.#allocator.nextExpiry)
  }

  #publish(): void {
    const touched = this.#allocator.takeTouched()
    if (this.#open && touched.length > 0) this.#tell(touched)
  }

  #tell(pools: readonly string[]): void {
    for (const listener of this.#usageListeners) listener(pools)
  }

  /** Section 1.5; deletions are never filtered. */
  #isOurs({ spec }: ServiceResource): boolean {
    return (spec?.loadBalancerClass ?? '') === this.#options.lbClass
  }
}

const UNCHANGED = 'service converged, no change'

/** How soon a Service whose cached copy is out of date is looked at again, should the watch say nothing. */
const STALE_MS = 1000

function refOf(key: string): ObjectRef {
  const [namespace = '', name = ''] = key.split('/')
  return { namespace, name }
}
