import { type Admitted, type PredecessorPlanner, type World, whyNotForwarding } from '../../core/plan/index.ts'
import type { Clock, Timer } from '../../ports/index.ts'

export interface StandInOptions {
  readonly node: string
  readonly clock: Clock
  /** For how long clients may go on using a node that stood in for this one; 0: they are told at once. */
  readonly quietMs: number
}

/** Why something is not kept quiet any more. */
export interface QuietEnd {
  readonly reason: string
  readonly message: string
}

/**
 * Which node stood in for this one, by Service: a speaker that starts takes back what others had meanwhile. Their nodes go on
 * forwarding, and some clients know them.
 */
export class StandIns {
  readonly #options: StandInOptions
  readonly #nodes = new Map<string, string>()
  /** Nothing was announced yet. */
  #isBack = false
  #untilMs = 0
  #expiry: Timer | undefined
  #expired = () => {}

  constructor(options: StandInOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#nodes.size
  }

  get(service: string): string | undefined {
    return this.#nodes.get(service)
  }

  nodes(): Iterable<string> {
    return this.#nodes.values()
  }

  delete(service: string): void {
    this.#nodes.delete(service)
  }

  /** Whether what this node takes now others had until now. Ask once for each state of the world. */
  returns({ held }: World): boolean {
    const { node, quietMs } = this.#options
    const returns = !this.#isBack && quietMs > 0
    this.#isBack ||= held?.has(node) !== true // held back at its start (IMP-4) it returns later
    return returns
  }

  /** For a Service that this node announces: who stands in from now on, undefined for nobody. */
  review(admitted: Admitted, returns: boolean, planner: PredecessorPlanner): string | undefined {
    const { key } = admitted.service
    const node = returns ? planner.standInFor(this.#options.node, admitted) : this.#nodes.get(key)
    if (returns) this.#startTime()
    if (node !== undefined && this.#isInTime && planner.mayForward(node, admitted)) this.#nodes.set(key, node)
    else this.#nodes.delete(key)
    return this.#nodes.get(key)
  }

  whyEnded(node: string, { members, nodes, retired }: World): QuietEnd {
    const objection = whyNotForwarding(node, nodes.get(node))
    if (objection !== undefined) return { reason: objection.code, message: objection.message }
    if (!this.#isInTime) return { reason: 'expired', message: 'the time is over' }
    if (!members?.has(node) && !retired?.has(node)) return { reason: 'dead', message: 'its speaker died' }
    return { reason: 'noCandidate', message: 'it could not announce any more' }
  }

  /** Calls back when the time is over. */
  subscribe(listener: () => void): () => void {
    this.#expired = listener
    return () => this.#expiry?.cancel()
  }

  get #isInTime(): boolean {
    return this.#options.clock.monotonic() < this.#untilMs
  }

  #startTime(): void {
    if (this.#expiry !== undefined) return
    const { clock, quietMs } = this.#options
    this.#untilMs = clock.monotonic() + quietMs
    this.#expiry = clock.after(quietMs, () => this.#expired())
  }
}
