import { parseService, type ServiceResource } from '../../api/index.ts'
import { Allocator, converge, type Outcome } from '../../core/allocator/index.ts'
import type { Pool } from '../../core/config/index.ts'
import { type ObjectRef, objectKey } from '../../core/object.ts'
import { POOL_ANNOTATION } from '../../core/service.ts'
import type { Counter } from '../../ports/index.ts'
import { Announcer } from './announcer.ts'
import { isWorthWriting, withVerdict } from './conditions.ts'
import type { ServiceControllerOptions } from './options.ts'
import type { AwaitedVersions } from './versions.ts'
import { CONTESTED, WriteBudget } from './write-budget.ts'
import type { ServiceWriter } from './writer.ts'

/** What outlives a term of leadership. */
export interface DecisionSeams {
  readonly options: ServiceControllerOptions
  readonly versions: AwaitedVersions
  readonly writer: ServiceWriter
  readonly errors: Counter
  /** Called after every decision, once its write has begun. */
  readonly settle: () => void
  /** The key is to be decided once more after so many milliseconds. */
  readonly again: (key: string, afterMs: number) => void
}

/** What one term of leadership holds and decides, one Service at a time; with the term all of it is void. */
export class Decisions {
  readonly allocator: Allocator
  /** LoadBalancer Services that lack an address: whatever pools change, they are looked at again. */
  readonly lacking = new Set<string>()
  /** No longer ours, and their annotation is still to be removed (D16). */
  readonly #disowned = new Set<string>()
  readonly #announcer: Announcer
  readonly #budget: WriteBudget
  readonly #seams: DecisionSeams
  #void = false

  constructor(seams: DecisionSeams, pools: readonly Pool[]) {
    const { clock, recorder, log } = seams.options
    this.#seams = seams
    this.#announcer = new Announcer(recorder, log)
    this.#budget = new WriteBudget(clock)
    this.allocator = new Allocator(() => clock.monotonic())
    this.allocator.setPools(pools)
  }

  /** Another process decides from now on: what was begun here is not written. */
  end(): void {
    this.#void = true
  }

  /** `own`: the Service itself changed, and not only what is around it. */
  async reconcile(key: string, own: boolean): Promise<'done' | 'retry'> {
    const { options, versions, again } = this.#seams
    const resource = options.services.get(refOf(key))
    if (resource === undefined) return this.#gone(key)
    if (versions.isStale(key, resource.metadata.resourceVersion)) {
      again(key, STALE_MS)
      return 'done'
    }
    const waitMs = this.#budget.waitMs(key)
    if (waitMs > 0) {
      options.log.warn({ event: 'rewriteLimited', service: key, waitMs, msg: CONTESTED })
      again(key, waitMs)
      return 'done'
    }
    return isOurs(resource, options.lbClass) ? this.#decide(resource, own) : this.#disown(resource)
  }

  #gone(key: string): 'done' {
    const { options, versions, settle } = this.#seams
    this.#forget(key)
    this.#disowned.delete(key)
    versions.forget(key)
    this.#budget.forget(key)
    if (this.allocator.release(key)) options.log.info({ event: 'serviceDeleted', service: key, msg: 'service deleted' })
    settle()
    return 'done'
  }

  async #decide(resource: ServiceResource, own: boolean): Promise<'done' | 'retry'> {
    const { options, errors, settle } = this.#seams
    const { log, conditions } = options
    const service = parseService(resource)
    const outcome = converge(this.allocator, service, options)
    this.allocator.wait(service, outcome.needs)
    const { key, type } = service
    const served = this.allocator.allocationOf(key) !== undefined && !this.allocator.waiting.has(key)
    if (served || type !== 'LoadBalancer') this.lacking.delete(key)
    else this.lacking.add(key)
    this.#announcer.announce(service, outcome)
    const changed = outcome.changed || (conditions !== false && isWorthWriting(resource, outcome.verdict))
    const written = changed ? this.#write(resource, outcome) : 'done'
    settle()
    if (outcome.result !== 'success' && own) {
      errors.inc()
      log.error({ controller: 'ServiceReconciler', service: key, event: 'failed to handle service' })
    }
    if (!changed) log.debug({ event: 'noChange', service: key, msg: UNCHANGED })
    return written
  }

  /** D16: not ours any more. Its status is left alone where another implementation may have taken over. */
  async #disown(resource: ServiceResource): Promise<'done' | 'retry'> {
    const { key, type, ingress, annotations } = parseService(resource)
    const { options, settle } = this.#seams
    this.#forget(key)
    if (this.allocator.release(key)) this.#disowned.add(key)
    if (!this.#disowned.has(key)) {
      options.log.debug({ event: 'filtered', service: key, msg: 'filtered service' })
      return 'done'
    }
    const addresses = type === 'LoadBalancer' ? ingress.flatMap(({ address }) => address ?? []) : []
    const clean = annotations[POOL_ANNOTATION] === undefined && (addresses.length > 0 || ingress.length === 0)
    const written = clean ? 'done' : this.#write(resource, { addresses, pool: undefined, verdict: undefined })
    settle()
    const result = await written
    if (result === 'done') this.#disowned.delete(key)
    return result
  }

  async #write(
    resource: ServiceResource,
    { addresses, pool, verdict }: Pick<Outcome, 'addresses' | 'pool' | 'verdict'>,
  ): Promise<'done' | 'retry'> {
    const { options, writer } = this.#seams
    const conditions = options.conditions === false ? undefined : withVerdict(resource, verdict, options.clock.now())
    const result = await writer.write(resource, { addresses, pool, conditions }, () => !this.#void)
    if (result === 'done') this.#budget.spend(objectKey(resource.metadata))
    return result
  }

  #forget(key: string): void {
    this.#announcer.forget(key)
    this.allocator.waiting.forget(key)
    this.lacking.delete(key)
  }
}

/** Section 1.5; deletions are never filtered. */
export function isOurs({ spec }: ServiceResource, lbClass: string): boolean {
  return (spec?.loadBalancerClass ?? '') === lbClass
}

export function refOf(key: string): ObjectRef {
  const [namespace = '', name = ''] = key.split('/')
  return { namespace, name }
}

const UNCHANGED = 'service converged, no change'

/** How soon a Service whose cached copy is out of date is looked at again, should the watch say nothing. */
const STALE_MS = 1000
