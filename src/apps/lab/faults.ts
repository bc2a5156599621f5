/** What is broken now. Killed, frozen and cut off are kept apart, because clusters tell them apart. */
import { must } from './command.ts'
import { faultRules, type LanFaults, NO_FAULTS } from './fault-rules.ts'
import { inside, ip } from './network.ts'
import type { Processes, ProcessSpec } from './processes.ts'
import type { NodePlan, Plan } from './topology.ts'

export type Network = 'lan' | 'mgmt'
export const NETWORKS: readonly Network[] = ['lan', 'mgmt']

export class Faults {
  readonly #plan: Plan
  readonly #processes: Processes
  readonly #killed = new Set<string>()
  /** Names of nodes or of single processes. */
  readonly #frozen = new Set<string>()
  readonly #cut = new Map<string, ReadonlySet<Network>>()
  #lan: LanFaults = NO_FAULTS

  constructor(plan: Plan, processes: Processes) {
    this.#plan = plan
    this.#processes = processes
  }

  /** Whether the node runs and reaches the API server. */
  reachesApi({ name }: NodePlan): boolean {
    return !this.#killed.has(name) && !this.#frozen.has(name) && !this.#cut.get(name)?.has('mgmt')
  }

  get killed(): NodePlan[] {
    return this.#plan.nodes.filter(({ name }) => this.#killed.has(name))
  }

  /** Everything that is broken about a machine, for people; empty where nothing is. */
  of(name: string): string[] {
    const group = this.#lan.groups.findIndex(members => members.includes(name))
    const lost = this.#lan.loss.get(name)
    return [
      ...(this.#killed.has(name) ? ['killed'] : []),
      ...[...this.#frozen]
        .filter(frozen => frozen === name || frozen.endsWith(`-${name}`))
        .map(frozen => `${frozen} frozen`),
      ...[...(this.#cut.get(name) ?? [])].map(network => `${network} cut`),
      ...(group < 0 ? [] : [`partition ${group + 1}`]),
      ...(lost === undefined ? [] : [`${lost} % loss`]),
    ]
  }

  /** The machine is gone: every process by SIGKILL, every link without carrier. */
  async kill(node: NodePlan): Promise<void> {
    this.#killed.add(node.name)
    this.#processes.signal(onNode(node.name), 'SIGKILL')
    await this.#setCarrier(node.name, NETWORKS, false)
  }

  /** Stops a process, or all of a node, without ending it; its kernel goes on answering and forwarding. */
  freeze(name: string): void {
    this.#frozen.add(name)
    this.#processes.signal(spec => spec.name === name || onNode(name)(spec), 'SIGSTOP')
  }

  async cut(name: string, networks: readonly Network[]): Promise<void> {
    this.#cut.set(name, new Set([...(this.#cut.get(name) ?? []), ...networks]))
    await this.#setCarrier(name, networks, false)
  }

  /** Splits the LAN; a machine in none of the groups reaches them all. The management network stays whole. */
  async partition(groups: LanFaults['groups']): Promise<void> {
    await this.#apply({ ...this.#lan, groups })
  }

  /** `percent` of the frames to and from the machine are lost on the LAN. */
  async loss(name: string, percent: number): Promise<void> {
    await this.#apply({ ...this.#lan, loss: new Map(this.#lan.loss).set(name, percent) })
  }

  /** Mends links and frozen processes. What was killed stays so until the lab starts it again; the answer names it. */
  async heal(): Promise<NodePlan[]> {
    const { killed } = this
    const carriers = new Map([...this.#cut, ...killed.map(({ name }) => [name, new Set(NETWORKS)] as const)])
    for (const name of this.#frozen) this.#processes.signal(spec => spec.name === name || onNode(name)(spec), 'SIGCONT')
    this.#frozen.clear()
    await Promise.all([...carriers].map(([name, networks]) => this.#setCarrier(name, [...networks], true)))
    await this.#apply(NO_FAULTS)
    this.#cut.clear()
    await this.#processes.stop(spec => killed.some(({ name }) => name === spec.node), 0)
    this.#killed.clear()
    return killed
  }

  async #apply(lan: LanFaults): Promise<void> {
    await must([...inside(this.#plan.switch), 'nft', '-f', '-'], { input: faultRules(lan) })
    this.#lan = lan
  }

  /** Through the far end of the link, so that the machine sees its carrier go. */
  async #setCarrier(name: string, networks: readonly Network[], up: boolean): Promise<void> {
    const line = `link set dev ${name} ${up ? 'up' : 'down'}`
    const { switch: lan, control } = this.#plan
    await Promise.all(networks.map(network => ip(network === 'lan' ? lan : control, [line])))
  }
}

const onNode = (node: string) => (spec: ProcessSpec) => spec.node === node
