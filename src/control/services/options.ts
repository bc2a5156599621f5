import type { ServiceResource } from '../../api/index.ts'
import type { PoolUsage } from '../../core/allocator/index.ts'
import type { Clock, EventRecorder, Informer, KubeApi, Logger, Metrics } from '../../ports/index.ts'

export interface ServiceControllerOptions {
  readonly services: Informer<ServiceResource>
  readonly api: KubeApi
  readonly recorder: EventRecorder
  readonly log: Logger
  readonly metrics: Metrics
  readonly clock: Clock
  /** `--lb-class`; empty: Services without a class. */
  readonly lbClass: string
  /** Whether it decides from the start; false where a Lease has still to be won. Default true. */
  readonly active?: boolean
  /** Whether Services get the condition metallb.io/AddressAllocated. Default true. */
  readonly conditions?: boolean
  /** An address stays until the one that is requested instead can be had (D17). Default false. */
  readonly keepUntilReplaced?: boolean
  /** Without any pool Services keep what they have for so long, in case pools come back (D18). Default 0. */
  readonly noPoolsGraceMs?: number
  /** Status writes at once. Default 8. */
  readonly writers?: number
}

/** Where the counters of the pools come from. */
export interface UsageSource {
  /** Undefined for a pool that is not in force. */
  usage(pool: string): PoolUsage | undefined
  /** Whether the counters mean anything: every address in use is known and this process decides. */
  readonly settled: boolean
  /** Tells the names of pools whose counters changed, came or went. The answer ends the subscription. */
  onUsage(listener: (pools: readonly string[]) => void): () => void
}
