/** Keeps the rules of every node in step with Services and EndpointSlices, as a kube-proxy on each node would. */
import type { EndpointSliceResource, ServiceResource } from '../../api/kubernetes/index.ts'
import type { Informer } from '../../ports/index.ts'
import { must } from './command.ts'
import { inside } from './network.ts'
import { proxyRules } from './proxy-rules.ts'
import type { NodePlan } from './topology.ts'

export interface KubeProxyOptions {
  readonly nodes: readonly NodePlan[]
  readonly services: Informer<ServiceResource>
  readonly slices: Informer<EndpointSliceResource>
  /** Whether that node's kube-proxy would run and hear of changes now. */
  readonly reachable: (node: NodePlan) => boolean
  readonly log: (line: string) => void
}

/** Changes that arrive within this time are written together. */
const GATHER_MS = 10

export class KubeProxy {
  readonly #options: KubeProxyOptions
  readonly #written = new Map<string, string>()
  readonly #subscriptions: (() => void)[] = []
  #timer: NodeJS.Timeout | undefined
  #work: Promise<void> = Promise.resolve()

  constructor(options: KubeProxyOptions) {
    this.#options = options
  }

  start(): void {
    const { services, slices } = this.#options
    this.#subscriptions.push(
      services.subscribe(() => this.#soon()),
      slices.subscribe(() => this.#soon()),
    )
  }

  async stop(): Promise<void> {
    for (const unsubscribe of this.#subscriptions) unsubscribe()
    clearTimeout(this.#timer)
    await this.#work
  }

  /** Writes what is missing on nodes that are reachable again; resolves when it is in force. */
  sync(): Promise<void> {
    this.#work = this.#work.then(() => this.#write())
    return this.#work
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      void this.sync()
    }, GATHER_MS)
  }

  async #write(): Promise<void> {
    const { nodes, services, slices, reachable } = this.#options
    if (!services.synced || !slices.synced) return
    const [allServices, allSlices] = [services.list(), slices.list()]
    await Promise.all(
      nodes.filter(reachable).map(node => this.#writeNode(node, proxyRules(node.name, allServices, allSlices))),
    )
  }

  async #writeNode(node: NodePlan, rules: string): Promise<void> {
    if (this.#written.get(node.name) === rules) return
    try {
      await must([...inside(node.netns), 'nft', '-f', '-'], { input: rules })
      this.#written.set(node.name, rules)
    } catch (error) {
      this.#options.log(`kube-proxy on ${node.name}: ${(error as Error).message}`) // the next change tries again
    }
  }
}
