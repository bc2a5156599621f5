import type { Config } from '../config/index.ts'
import type { Hash } from '../election/index.ts'
import type { Address } from '../ip/index.ts'
import type { Endpoint, Node, Service } from '../service.ts'
import type { Minority } from './majority.ts'

/** All that the announce decisions look at. The same world gives the same answer on every speaker. */
export interface World {
  readonly config: Config
  /** Present Node objects by name. */
  readonly nodes: ReadonlyMap<string, Node>
  /** Nodes with a live speaker; undefined where membership is off and every Node counts. */
  readonly members: ReadonlySet<string> | undefined
  /** Nodes whose speaker stopped by plan and has not come back, and when: monotonic milliseconds. */
  readonly retired?: ReadonlyMap<string, number>
  /** Usable interfaces that members publish, by node; one that publishes none is absent (IMP-25). */
  readonly interfaces?: ReadonlyMap<string, ReadonlySet<string>>
  /** Nodes that see too few speakers, and announce nothing by layer 2 (IMP-6); absent where the rule is off. */
  readonly minorities?: ReadonlyMap<string, Minority>
  /** Members that leave addresses to others for now, where one can have them (IMP-4). */
  readonly held?: ReadonlySet<string>
  /** Endpoints of a Service (`namespace/name`) over all its slices. */
  readonly endpointsOf: (service: string) => readonly Endpoint[]
  /** Every Service whose status holds the address. */
  readonly holdersOf: (address: Address) => Iterable<Service>
  /** Every Service; only balanced placement asks. */
  readonly services?: () => Iterable<Service>
  readonly hash: Hash
  readonly options: PlanOptions
}

/** Flags of the speaker that change decisions (chapter 03 section 1.1). */
export interface PlanOptions {
  /** `--ignore-exclude-lb` */
  readonly ignoreExcludeLb: boolean
  /** `--lb-class`; empty where it is not given. */
  readonly lbClass: string
  /** `--drain-cordoned`: a node that is unschedulable counts as one that is drained. */
  readonly drainCordoned?: boolean
  /** `--balanced-placement` (IMP-5) */
  readonly balanced?: boolean
}
