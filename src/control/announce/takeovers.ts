import type { Address } from '../../core/ip/index.ts'
import { type Admitted, PredecessorPlanner, type World, whyNotForwarding } from '../../core/plan/index.ts'
import type { Clock, Counter, Logger, Metrics, Predecessor } from '../../ports/index.ts'

export interface TakeoverOptions {
  readonly node: string
  readonly clock: Clock
  readonly metrics: Metrics
  readonly log: Logger
}

/** A Service that starts here later than this after a node left had no owner there. */
const FRESH_MS = 2000

/**
 * Which Services this node took over quietly, and from whom: nobody is told of the new owner while the former one may
 * go on forwarding. What was told once is not kept quiet again.
 */
export class Takeovers {
  readonly #options: TakeoverOptions
  readonly #counter: Counter
  /** By Service; never empty lists. */
  readonly #after = new Map<string, readonly string[]>()
  /** Taken over since the last report, by former node. */
  readonly #begun = new Map<string, number>()
  readonly #ended = new Map<string, { count: number; reason: string; message: string }>()
  #addresses: ReadonlyMap<string, readonly Address[]> = new Map()

  constructor(options: TakeoverOptions) {
    this.#options = options
    this.#counter = options.metrics.counter({
      name: 'metallb_layer2_quiet_takeovers_total',
      help: 'Services taken over without a gratuitous packet, because their former node went on forwarding',
    })
  }

  /** For one state of the world. */
  review(world: World): TakeoverReview {
    const planner = world.retired?.size ? new PredecessorPlanner(world) : undefined
    return {
      announces: (admitted, isNew) => this.#announces(admitted, isNew, world, planner),
      refuses: service => this.#end(service, world),
    }
  }

  /** Nodes that the Service is kept quiet for. */
  after(service: string): readonly string[] {
    return this.#after.get(service) ?? []
  }

  /** The Service is gone. */
  forget(service: string): void {
    this.#after.delete(service)
  }

  predecessors(): Predecessor[] {
    const nodes = new Set([...this.#after.values()].flat())
    return [...nodes].map(node => ({ node, addresses: this.#addresses.get(node) ?? [] }))
  }

  /** One line for each node, however many Services it had. */
  report(): void {
    const { log } = this.#options
    for (const [node, services] of this.#begun) {
      this.#counter.inc({}, services)
      log.info({ event: 'quietTakeover', node, services, msg: `took over quietly from ${node}` })
    }
    for (const [node, { count: services, reason, message }] of this.#ended) {
      const msg = `nothing is kept quiet for ${node} any more: ${message}`
      log.info({ event: 'quietTakeoverEnded', node, services, reason, msg })
    }
    this.#begun.clear()
    this.#ended.clear()
  }

  /** Answers whether anything changed. */
  #announces(admitted: Admitted, isNew: boolean, world: World, planner: PredecessorPlanner | undefined): boolean {
    const { key } = admitted.service
    const known = this.#after.get(key) ?? []
    if (!isNew && known.length === 0) return false
    const candidates = planner?.of(admitted, this.#options.node) ?? []
    const after = candidates
      .filter(node => (isNew ? this.#isFresh(node, world) : known.includes(node)))
      .sort((a, b) => (world.retired?.get(b) ?? 0) - (world.retired?.get(a) ?? 0))
    for (const node of after) if (!known.includes(node)) this.#begin(node, world)
    for (const node of known) if (!after.includes(node)) this.#count(node, world)
    if (after.length === 0) this.#after.delete(key)
    else this.#after.set(key, after)
    return after.length !== known.length
  }

  #end(service: string, world: World): void {
    for (const node of this.after(service)) this.#count(node, world)
    this.#after.delete(service)
  }

  #isFresh(node: string, { retired }: World): boolean {
    const since = retired?.get(node)
    return since !== undefined && this.#options.clock.monotonic() - since < FRESH_MS
  }

  #begin(node: string, { nodes }: World): void {
    this.#begun.set(node, (this.#begun.get(node) ?? 0) + 1)
    this.#addresses = new Map([...this.#addresses, [node, nodes.get(node)?.addresses ?? []]])
  }

  #count(node: string, world: World): void {
    const { count, ...why } = this.#ended.get(node) ?? { count: 0, ...whyEnded(node, world) }
    this.#ended.set(node, { count: count + 1, ...why })
  }
}

export interface TakeoverReview {
  /** This node announces the Service; answers whether it is kept quiet for other nodes than before. */
  announces(admitted: Admitted, isNew: boolean): boolean
  refuses(service: string): void
}

function whyEnded(node: string, { members, nodes, retired }: World): { reason: string; message: string } {
  if (members?.has(node)) return { reason: 'returned', message: 'its speaker is back' }
  const objection = whyNotForwarding(node, nodes.get(node))
  if (objection !== undefined) return { reason: objection.code, message: objection.message }
  if (!retired?.has(node)) return { reason: 'expired', message: 'the time is over, or its next speaker died' }
  return { reason: 'noCandidate', message: 'it could not announce any more if its speaker ran' }
}
