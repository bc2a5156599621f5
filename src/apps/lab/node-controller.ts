/** What kubelets and the node controller report: which nodes are ready, and that a silent one's Pods no longer are. */
import { nodes, pods } from '../../api/kubernetes/index.ts'
import type { KubeApi } from '../../ports/index.ts'
import type { Kubelet } from './kubelet.ts'
import { daemonStatus, NAMESPACE, nodeStatus, speakerPod } from './objects.ts'
import type { NodePlan } from './topology.ts'

export interface NodeControllerOptions {
  readonly kube: KubeApi
  readonly kubelet: Kubelet
  /** A real cluster waits 40 to 50 s. */
  readonly graceMs: number
  readonly log: (line: string) => void
}

export class NodeController {
  readonly #options: NodeControllerOptions
  readonly #silent = new Map<string, NodeJS.Timeout>()

  constructor(options: NodeControllerOptions) {
    this.#options = options
  }

  /** The node does not report any more; after the grace period it and its Pods are no longer ready. */
  fellSilent(node: NodePlan): void {
    if (this.#silent.has(node.name)) return
    const { graceMs, log } = this.#options
    const timer = setTimeout(() => {
      this.#report(node, false).catch(error => log(`node controller: ${node.name}: ${error.message}`))
    }, graceMs)
    this.#silent.set(node.name, timer)
  }

  async returned(node: NodePlan): Promise<void> {
    const timer = this.#silent.get(node.name)
    if (timer === undefined) return
    clearTimeout(timer)
    this.#silent.delete(node.name)
    await this.#report(node, true)
  }

  stop(): void {
    for (const timer of this.#silent.values()) clearTimeout(timer)
  }

  async #report(node: NodePlan, ready: boolean): Promise<void> {
    const { kube, kubelet } = this.#options
    const speaker = { namespace: NAMESPACE, name: speakerPod(node.name) }
    await kube.patch(nodes, { name: node.name }, { type: 'merge', body: nodeStatus(node, ready) }, 'status')
    const body = daemonStatus('speaker', node.address, ready)
    await kube.patch(pods, speaker, { type: 'merge', body }, 'status')
    await kubelet.setReady(node, ready)
  }
}
