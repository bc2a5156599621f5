/** The configuration in force, in native types. Immutable; made by `api/parse`, compared as a whole by `sameConfig`. */
import type { Range } from '../ip/index.ts'
import type { LabelSelector } from '../labels.ts'
import type { BgpConfig } from './bgp.ts'

/** Who may take addresses from a pool (`spec.serviceAllocation`). */
export interface ServiceAllocation {
  /** 1 is best; 0 or less is last. */
  readonly priority: number
  /** Namespaces named or selected; undefined where neither field restricts. An empty set admits nobody (decision 2, REF-BUG 7). */
  readonly namespaces?: ReadonlySet<string>
  /** Any may match; empty means labels do not restrict. */
  readonly serviceSelectors: readonly LabelSelector[]
}

/** Addresses of a pool that are kept for one Service or, without an owner, from everybody. */
export interface Reservation {
  readonly range: Range
  /** `namespace/name` of a Service. */
  readonly owner?: string
  readonly note: string
}

export interface Pool {
  readonly name: string
  readonly namespace: string
  /** In the order written; a CIDR is its whole masked network. Ranges of all pools never overlap. */
  readonly ranges: readonly Range[]
  /** `spec.addresses` as written, one for each range. */
  readonly entries: readonly string[]
  readonly autoAssign: boolean
  readonly avoidBuggyIPs: boolean
  /** Absent: open to every Service. */
  readonly allocation?: ServiceAllocation
  /** How long a released address is kept from other Services. Absent: not at all. */
  readonly quarantineMs?: number
  /** Absent: none. */
  readonly reservations?: readonly Reservation[]
  /** How many Services of a namespace may hold addresses of the pool; `*` stands for those not named. Absent: any number. */
  readonly quotas?: ReadonlyMap<string, number>
  /** Of a pool with a serviceAllocation: Services it admits get nothing from open pools (D22). Absent: they do. */
  readonly exclusive?: true
}

/** An L2Advertisement with its node selectors resolved to names (chapter 03 section 1.7). */
export interface L2Advertisement {
  readonly name: string
  /** Names of the nodes that may announce. */
  readonly nodes: ReadonlySet<string>
  /** Names of the pools it applies to. */
  readonly pools: ReadonlySet<string>
  /** Interface names, or every interface. */
  readonly interfaces: ReadonlySet<string> | 'all'
  /** Any may match; empty means every Service. */
  readonly serviceSelectors: readonly LabelSelector[]
  /** Node to score, only scores above 0. */
  readonly preferredNodes: ReadonlyMap<string, number>
}

export interface Config {
  /** In name order. */
  readonly pools: readonly Pool[]
  /** In name order; empty in the controller, which does not load them. */
  readonly l2Advertisements: readonly L2Advertisement[]
  /** Absent in the controller, which does not load it. */
  readonly bgp?: BgpConfig
}
