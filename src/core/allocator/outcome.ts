import type { Address } from '../ip/index.ts'
import type { Reason } from '../reason.ts'
import type { Need } from './refusal.ts'

export interface ServiceEvent {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
  /** Describes a state and not a change: not worth repeating while it lasts (D8). */
  readonly standing?: boolean
}

export interface ServiceLog {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly fields: Readonly<Record<string, unknown>>
}

/** The condition of a Service that says whether it has its address, and why. */
export const CONDITION = 'metallb.io/AddressAllocated'

/** What the condition says; made from the same texts as events and log lines. */
export interface Verdict {
  readonly allocated: boolean
  /** One word in CamelCase. */
  readonly reason: string
  readonly message: string
}

/** What a Service should look like, and how that came about. */
export interface Outcome {
  /** What `status.loadBalancer.ingress` should hold, in order. */
  readonly addresses: readonly Address[]
  /** What POOL_ANNOTATION should say; undefined: it should be absent. */
  readonly pool: string | undefined
  /** Undefined for a Service that is no LoadBalancer. */
  readonly verdict: Verdict | undefined
  /** Whether addresses or annotation of the Service are others now. */
  readonly changed: boolean
  readonly events: readonly ServiceEvent[]
  readonly logs: readonly ServiceLog[]
  /** Why it has this address, or none; one for each step or pool that had a say. */
  readonly reasons: readonly Reason[]
  /** What would cure what is amiss. */
  readonly needs: readonly Need[]
  readonly result: 'success' | 'error, no retry'
}
