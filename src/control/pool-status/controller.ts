import { type IPAddressPoolResource, ipAddressPools } from '../../api/index.ts'
import type { PoolUsage } from '../../core/allocator/index.ts'
import { type ObjectRef, objectKey } from '../../core/object.ts'
import {
  type Change,
  type Clock,
  type Informer,
  type KubeApi,
  KubeError,
  type Logger,
  type Metrics,
  type Task,
} from '../../ports/index.ts'
import { WorkQueue } from '../queue.ts'
import type { UsageSource } from '../services/index.ts'
import { PoolGauges } from './gauges.ts'

export interface PoolStatusControllerOptions {
  readonly pools: Informer<IPAddressPoolResource>
  readonly api: KubeApi
  readonly usage: UsageSource
  readonly metrics: Metrics
  readonly clock: Clock
  readonly log: Logger
  /** A pool's status is written at most once in this time. Default 1000 ms. */
  readonly debounceMs?: number
}

type PoolStatus = NonNullable<IPAddressPoolResource['status']>

/** Keeps the gauges and the status of every IPAddressPool equal to the allocator's counters (section 3, D21). */
export class PoolStatusController implements Task {
  readonly name = 'pool-status'
  readonly #options: Required<PoolStatusControllerOptions>
  readonly #queue: WorkQueue
  readonly #gauges: PoolGauges
  /** Name to the object, to find the object of a pool. */
  readonly #refs = new Map<string, ObjectRef>()
  readonly #due = new Set<string>()
  /** To be looked at once the counters mean something. */
  readonly #unsettled = new Set<string>()
  #unsubscribe: (() => void)[] = []

  constructor(options: PoolStatusControllerOptions) {
    this.#options = { debounceMs: 1000, ...options }
    const { clock, log, metrics } = options
    this.#gauges = new PoolGauges(metrics)
    this.#queue = new WorkQueue({ name: this.name, clock, log, handle: key => this.#handle(key) })
  }

  start(): void {
    const { pools, usage } = this.#options
    this.#queue.start()
    this.#unsubscribe = [pools.subscribe(change => this.#onPool(change)), usage.onUsage(names => this.#onUsage(names))]
  }

  async stop(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    await this.#queue.stop()
  }

  ready(): true | string {
    return this.#options.pools.synced || 'waiting for the IPAddressPools'
  }

  async whenIdle(): Promise<void> {
    await this.#queue.whenIdle()
  }

  #onUsage(names: readonly string[]): void {
    for (const name of names) this.#gauges.show(name, this.#options.usage.usage(name))
    if (!this.#options.usage.settled) return
    for (const name of [...names, ...this.#unsettled]) this.#schedule(name)
    this.#unsettled.clear()
  }

  /** Also what others do to the status: it is put right. */
  #onPool({ kind, object: { metadata } }: Change<IPAddressPoolResource>): void {
    if (kind === 'deleted') {
      this.#refs.delete(metadata.name)
      this.#unsettled.delete(metadata.name)
    } else this.#refs.set(metadata.name, { namespace: metadata.namespace, name: metadata.name })
    this.#schedule(metadata.name)
  }

  #schedule(name: string): void {
    if (this.#due.has(name) || !this.#refs.has(name)) return
    if (!this.#options.usage.settled) {
      this.#unsettled.add(name)
      return
    }
    this.#due.add(name)
    this.#queue.addAfter(name, this.#options.debounceMs)
  }

  async #handle(name: string): Promise<'done' | 'retry'> {
    this.#due.delete(name)
    const { pools, api, usage, log } = this.#options
    const ref = this.#refs.get(name)
    const pool = ref && pools.get(ref)
    if (pool === undefined || !usage.settled) return 'done'
    const status = statusOf(usage.usage(name))
    if (sameStatus(pool.status, status)) return 'done'
    try {
      await api.replace(ipAddressPools, { ...pool, status: { ...pool.status, ...status } }, 'status')
      return 'done'
    } catch (error) {
      if (error instanceof KubeError && error.code === 'NOT_FOUND') return 'done'
      log.error({ controller: 'PoolStatusReconciler', pool: objectKey(pool.metadata), error, msg: FAILED })
      return 'retry'
    }
  }
}

const FAILED = 'failed to update the status of the pool'

/** A pool that is not in force, as in a rejected configuration, has zeros (section 3.2). */
function statusOf(usage: PoolUsage | undefined): PoolStatus {
  return {
    assignedIPv4: exact(usage?.assigned.ipv4),
    assignedIPv6: exact(usage?.assigned.ipv6),
    availableIPv4: exact(usage?.available.ipv4),
    availableIPv6: exact(usage?.available.ipv6),
  }
}

/** A number where it can hold the value, else the bigint itself. */
function exact(count = 0n): number | bigint {
  return count <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(count) : count
}

/** A client that read a huge count as a float must not make us write for ever. */
function sameStatus(shown: PoolStatus | undefined, wanted: PoolStatus): boolean {
  const fields = Object.keys(wanted) as (keyof PoolStatus)[]
  return fields.every(field => shown?.[field] !== undefined && sameCount(shown[field], wanted[field]))
}

function sameCount(shown: number | bigint, wanted: number | bigint): boolean {
  if (typeof shown === 'number' && !Number.isSafeInteger(shown)) return shown === Number(wanted)
  return BigInt(shown) === BigInt(wanted)
}
