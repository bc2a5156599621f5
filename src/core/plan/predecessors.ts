/**
 * Whose clients a node takes over: of nodes whose speakers stopped by plan, or that stood in for it. Their kernels may go on
 * forwarding.
 */
import type { Reason } from '../reason.ts'
import type { Node } from '../service.ts'
import type { Admitted } from './admission.ts'
import { Layer2Planner } from './layer2.ts'
import type { World } from './world.ts'

/** For one state of the world. */
export class PredecessorPlanner {
  readonly #world: World
  readonly #forwarding: ReadonlySet<string>
  readonly #planner: Layer2Planner
  readonly #without = new Map<string, Layer2Planner>()

  constructor(world: World) {
    this.#world = world
    const retired = [...(world.retired?.keys() ?? [])]
    this.#forwarding = new Set(retired.filter(node => whyNotForwarding(node, world.nodes.get(node)) === undefined))
    const members = new Set([...(world.members ?? []), ...this.#forwarding])
    this.#planner = new Layer2Planner({ ...world, members })
  }

  /** Those that would come before the node in the election if their speakers still ran: clients may know any of them. */
  of(admitted: Admitted, node: string): string[] {
    if (this.#forwarding.size === 0) return []
    const order = this.#planner.orderOf(admitted)
    const own = order.indexOf(node)
    return order.slice(0, own < 0 ? 0 : own).filter(name => this.#forwarding.has(name))
  }

  /** Who has it while the node's speaker is away: of the other members the first. Undefined where no other can. */
  standInFor(node: string, admitted: Admitted): string | undefined {
    const { members } = this.#world
    if (members === undefined) return undefined // nobody knows whose speaker runs
    const others = new Set([...members].filter(name => name !== node))
    const planner = this.#without.get(node) ?? new Layer2Planner({ ...this.#world, members: others })
    this.#without.set(node, planner)
    return planner.orderOf(admitted)[0]
  }

  /** Whether the node could announce it, its speaker running or stopped by plan, and may forward. */
  mayForward(node: string, admitted: Admitted): boolean {
    const isThere = this.#world.members?.has(node) || this.#forwarding.has(node)
    if (!isThere || whyNotForwarding(node, this.#world.nodes.get(node)) !== undefined) return false
    return this.#planner.orderOf(admitted).includes(node)
  }
}

/** What the Node object says against it; undefined for a node that may go on forwarding without a speaker. */
export function whyNotForwarding(name: string, node: Node | undefined): Reason | undefined {
  const object = { kind: 'Node', name }
  if (node === undefined) return { code: 'nodeMissing', message: 'no such node', object }
  if (!node.ready) return { code: 'nodeNotReady', message: 'the node is not ready', object, field: 'status.conditions' }
  if (node.shutDown)
    return { code: 'nodeShutDown', message: 'the node is tainted as shut down', object, field: 'spec.taints' }
  return undefined
}
