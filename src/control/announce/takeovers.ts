import { type Admitted, PredecessorPlanner, type World, whyNotForwarding } from '../../core/plan/index.ts'
import type { Clock, Counter, Logger, Metrics, Predecessor } from '../../ports/index.ts'
import { type QuietEnd, StandIns } from './stand-ins.ts'

export interface TakeoverOptions {
  readonly node: string
  readonly clock: Clock
  readonly metrics: Metrics
  readonly log: Logger
  /** For how long clients may go on using a node that stood in for this one; default 0: they are told at once. */
  readonly quietMs?: number
}

interface Begun {
  readonly node: string
  readonly services: number
  readonly msg: string
}

/** A Service that starts here later than this after a node left had no owner there. */
const FRESH_MS = 2000

/**
 * Which Services this node took over quietly, and from whom: nobody is told of the new owner while the former one may
 * go on forwarding. Former owners are nodes whose speaker stopped by plan and, for a speaker that starts, those that
 * stood in for it. What was told once is not kept quiet again.
 */
export class Takeovers {
  readonly #options: TakeoverOptions
  readonly #counter: Counter
  /** Nodes that retired, by Service; never empty lists. */
  readonly #retired = new Map<string, readonly string[]>()
  readonly #standIns: StandIns
  /** Since the last report, by what is said of them. */
  readonly #begun = new Map<string, Begun>()
  /** By former node. */
  readonly #ended = new Map<string, QuietEnd & { readonly count: number }>()
  /** As they were in the last world: whose object is gone has no addresses, and is kept quiet for no longer. */
  #nodes: World['nodes'] = new Map()

  constructor(options: TakeoverOptions) {
    this.#options = options
    const { node, clock, quietMs = 0 } = options
    this.#standIns = new StandIns({ node, clock, quietMs })
    this.#counter = options.metrics.counter({
      name: 'metallb_layer2_quiet_takeovers_total',
      help: 'Services taken over without a gratuitous packet, because their former node went on forwarding',
    })
  }

  /** For one state of the world. */
  review(world: World): TakeoverReview {
    this.#nodes = world.nodes
    const returns = this.#standIns.returns(world)
    const isNeeded = returns || this.#standIns.size > 0 || (world.retired?.size ?? 0) > 0
    const planner = isNeeded ? new PredecessorPlanner(world) : undefined
    return {
      announces: (admitted, isNew) => {
        const before = this.after(admitted.service.key)
        if (!isNew && before.length === 0) return false
        this.#reviewRetired(admitted, isNew, world, planner)
        this.#reviewStandIn(admitted, isNew && returns, world, planner)
        return this.after(admitted.service.key).length !== before.length // none is added but to a new one
      },
      refuses: service => this.#end(service, world),
    }
  }

  /** Nodes that the Service is kept quiet for. */
  after(service: string): readonly string[] {
    const standIn = this.#standIns.get(service)
    return [...(standIn === undefined ? [] : [standIn]), ...(this.#retired.get(service) ?? [])]
  }

  /** Calls back when something is to be reviewed although the world is the same. */
  subscribe(listener: () => void): () => void {
    return this.#standIns.subscribe(listener)
  }

  /** The Service is gone. */
  forget(service: string): void {
    this.#retired.delete(service)
    this.#standIns.delete(service)
  }

  predecessors(): Predecessor[] {
    const nodes = new Set([...[...this.#retired.values()].flat(), ...this.#standIns.nodes()])
    return [...nodes].map(node => ({ node, addresses: this.#nodes.get(node)?.addresses ?? [] }))
  }

  /** One line for each node, however many Services it had. */
  report(): void {
    const { log } = this.#options
    for (const begun of this.#begun.values()) {
      this.#counter.inc({}, begun.services)
      log.info({ event: 'quietTakeover', ...begun })
    }
    for (const [node, { count: services, reason, message }] of this.#ended) {
      const msg = `nothing is kept quiet for ${node} any more: ${message}`
      log.info({ event: 'quietTakeoverEnded', node, services, reason, msg })
    }
    this.#begun.clear()
    this.#ended.clear()
  }

  #reviewRetired(admitted: Admitted, isNew: boolean, world: World, planner: PredecessorPlanner | undefined): void {
    const { key } = admitted.service
    const known = this.#retired.get(key) ?? []
    const candidates = planner?.of(admitted, this.#options.node) ?? []
    const after = candidates
      .filter(node => (isNew ? this.#isFresh(node, world) : known.includes(node)))
      .sort((a, b) => (world.retired?.get(b) ?? 0) - (world.retired?.get(a) ?? 0))
    for (const node of after) if (!known.includes(node)) this.#begin(node, 'took over')
    for (const node of known) if (!after.includes(node)) this.#count(node, whyEnded(node, world))
    if (after.length === 0) this.#retired.delete(key)
    else this.#retired.set(key, after)
  }

  #reviewStandIn(admitted: Admitted, returns: boolean, world: World, planner: PredecessorPlanner | undefined): void {
    const before = this.#standIns.get(admitted.service.key)
    if (planner === undefined || (before === undefined && !returns)) return
    const after = this.#standIns.review(admitted, returns, planner)
    if (after !== undefined && before === undefined) this.#begin(after, 'took back')
    if (after === undefined && before !== undefined) this.#count(before, this.#standIns.whyEnded(before, world))
  }

  #end(service: string, world: World): void {
    for (const node of this.#retired.get(service) ?? []) this.#count(node, whyEnded(node, world))
    const standIn = this.#standIns.get(service)
    if (standIn !== undefined) this.#count(standIn, NOT_ANNOUNCED)
    this.forget(service)
  }

  #isFresh(node: string, { retired }: World): boolean {
    const since = retired?.get(node)
    return since !== undefined && this.#options.clock.monotonic() - since < FRESH_MS
  }

  #begin(node: string, verb: string): void {
    const msg = `${verb} quietly from ${node}`
    this.#begun.set(msg, { node, services: (this.#begun.get(msg)?.services ?? 0) + 1, msg })
  }

  #count(node: string, why: QuietEnd): void {
    const { count } = this.#ended.get(node) ?? { count: 0 }
    this.#ended.set(node, { ...why, count: count + 1 })
  }
}

export interface TakeoverReview {
  /** This node announces the Service; answers whether it is kept quiet for other nodes than before. */
  announces(admitted: Admitted, isNew: boolean): boolean
  refuses(service: string): void
}

const NOT_ANNOUNCED: QuietEnd = { reason: 'notOwner', message: 'this node does not announce it any more' }

function whyEnded(node: string, { members, nodes, retired }: World): QuietEnd {
  if (members?.has(node)) return { reason: 'returned', message: 'its speaker is back' }
  const objection = whyNotForwarding(node, nodes.get(node))
  if (objection !== undefined) return { reason: objection.code, message: objection.message }
  if (!retired?.has(node)) return { reason: 'expired', message: 'the time is over, or its next speaker died' }
  return { reason: 'noCandidate', message: 'it could not announce any more if its speaker ran' }
}
