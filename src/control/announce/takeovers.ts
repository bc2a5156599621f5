import type { Address } from '../../core/ip/index.ts'
import { type Admitted, PredecessorPlanner, type World, whyNotForwarding } from '../../core/plan/index.ts'
import type { Clock, Counter, Logger, Metrics, Predecessor, Timer } from '../../ports/index.ts'

export interface TakeoverOptions {
  readonly node: string
  readonly clock: Clock
  readonly metrics: Metrics
  readonly log: Logger
  /** For how long clients may go on using a node that stood in for this one; default 0: they are told at once. */
  readonly quietMs?: number
}

/** A Service that starts here later than this after a node left had no owner there. */
const FRESH_MS = 2000

/**
 * Which Services this node took over quietly, and from whom: nobody is told of the new owner while the former one may
 * go on forwarding. Former owners are nodes whose speaker stopped by plan, and, for a speaker that starts, those that
 * stood in for it. What was told once is not kept quiet again.
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
  /** Nothing was announced yet: what this node has now others had until now, where there are others. */
  #returns = true
  /** Nodes that stood in for this one, and until when they may forward. */
  readonly #standIns = new Map<string, number>()
  #expiry: Timer | undefined
  #expired = () => {}

  constructor(options: TakeoverOptions) {
    this.#options = options
    this.#counter = options.metrics.counter({
      name: 'metallb_layer2_quiet_takeovers_total',
      help: 'Services taken over without a gratuitous packet, because their former node went on forwarding',
    })
  }

  /** For one state of the world. */
  review(world: World): TakeoverReview {
    const { node, quietMs = 0 } = this.#options
    const returns = this.#returns && quietMs > 0
    this.#returns &&= world.held?.has(node) ?? false // held back at its start (IMP-4) it returns later
    const isNeeded = returns || this.#standIns.size > 0 || (world.retired?.size ?? 0) > 0
    const planner = isNeeded ? new PredecessorPlanner(world) : undefined
    return {
      announces: (admitted, isNew) => this.#announces(admitted, isNew, isNew && returns, world, planner),
      refuses: service => this.#end(service, world),
    }
  }

  /** Nodes that the Service is kept quiet for. */
  after(service: string): readonly string[] {
    return this.#after.get(service) ?? []
  }

  /** Calls back when the time of a node that stood in is over. */
  subscribe(listener: () => void): () => void {
    this.#expired = listener
    return () => this.#expiry?.cancel()
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
      const verb = this.#standIns.has(node) ? 'took back' : 'took over'
      log.info({ event: 'quietTakeover', node, services, msg: `${verb} quietly from ${node}` })
    }
    for (const [node, { count: services, reason, message }] of this.#ended) {
      const msg = `nothing is kept quiet for ${node} any more: ${message}`
      log.info({ event: 'quietTakeoverEnded', node, services, reason, msg })
    }
    this.#begun.clear()
    this.#ended.clear()
  }

  /** Answers whether anything changed. */
  #announces(
    admitted: Admitted,
    isNew: boolean,
    returns: boolean,
    world: World,
    planner: PredecessorPlanner | undefined,
  ): boolean {
    const { key } = admitted.service
    const known = this.#after.get(key) ?? []
    if (!isNew && known.length === 0) return false
    const left = planner?.of(admitted, this.#options.node) ?? []
    const retired = left
      .filter(node => (isNew ? this.#isFresh(node, world) : known.includes(node)))
      .sort((a, b) => (world.retired?.get(b) ?? 0) - (world.retired?.get(a) ?? 0))
    const standIns = known.filter(node => this.#standIns.has(node))
    if (returns) standIns.push(...this.#standIn(planner?.standInFor(this.#options.node, admitted)))
    const live = standIns.filter(node => this.#isInTime(node) && planner?.mayForward(node, admitted))
    const after = [...new Set([...live, ...retired])]
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

  #standIn(node: string | undefined): string[] {
    if (node === undefined) return []
    const { clock, quietMs = 0 } = this.#options
    if (!this.#standIns.has(node)) this.#standIns.set(node, clock.monotonic() + quietMs)
    this.#expiry ??= clock.after(quietMs, () => this.#expired())
    return [node]
  }

  #isInTime(node: string): boolean {
    return this.#options.clock.monotonic() < (this.#standIns.get(node) ?? 0)
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
    const why = this.#standIns.has(node) ? whyNoStandIn(node, this.#isInTime(node), world) : whyEnded(node, world)
    const { count } = this.#ended.get(node) ?? { count: 0 }
    this.#ended.set(node, { count: count + 1, ...why })
  }
}

export interface TakeoverReview {
  /** This node announces the Service; answers whether it is kept quiet for other nodes than before. */
  announces(admitted: Admitted, isNew: boolean): boolean
  refuses(service: string): void
}

function whyNoStandIn(node: string, isInTime: boolean, world: World): { reason: string; message: string } {
  const { members, nodes, retired } = world
  const objection = whyNotForwarding(node, nodes.get(node))
  if (objection !== undefined) return { reason: objection.code, message: objection.message }
  if (!isInTime) return { reason: 'expired', message: 'the time is over' }
  if (!members?.has(node) && !retired?.has(node)) return { reason: 'dead', message: 'its speaker died' }
  return { reason: 'noCandidate', message: 'it could not announce any more' }
}

function whyEnded(node: string, { members, nodes, retired }: World): { reason: string; message: string } {
  if (members?.has(node)) return { reason: 'returned', message: 'its speaker is back' }
  const objection = whyNotForwarding(node, nodes.get(node))
  if (objection !== undefined) return { reason: objection.code, message: objection.message }
  if (!retired?.has(node)) return { reason: 'expired', message: 'the time is over, or its next speaker died' }
  return { reason: 'noCandidate', message: 'it could not announce any more if its speaker ran' }
}
