/**
 * What scheduler and kubelets would do with Pods: place them, give each a namespace and an address on its node and a
 * real HTTP server as its only container, whatever image it names, and report that in its status.
 */
import { once } from 'node:events'
import { type PodResource, pods as podType } from '../../api/kubernetes/index.ts'
import { objectKey } from '../../core/object.ts'
import type { Change, Informer, KubeApi } from '../../ports/index.ts'
import { addPod, removePod } from './network.ts'
import type { Processes } from './processes.ts'
import { nodeCommand } from './programs.ts'
import { type Machine, type NodePlan, netnsOf } from './topology.ts'

/** The fields of a Pod the lab looks at beside those the product reads. */
interface LabPod extends PodResource {
  spec?: {
    nodeName?: string
    hostNetwork?: boolean
    containers?: { name?: string; ports?: { containerPort?: number }[] }[]
  }
}

interface Sandbox {
  readonly pod: LabPod
  readonly node: NodePlan
  readonly machine: Machine
}

export interface KubeletOptions {
  readonly lab: string
  readonly nodes: readonly NodePlan[]
  readonly kube: KubeApi
  readonly pods: Informer<PodResource>
  readonly processes: Processes
  /** Whether the node runs and reaches the API. */
  readonly alive: (node: NodePlan) => boolean
  readonly log: (line: string) => void
}

export class Kubelet {
  readonly #options: KubeletOptions
  readonly #sandboxes = new Map<string, Sandbox>()
  /** The node each Pod is bound to, by its key. */
  readonly #bound = new Map<string, string>()
  #work: Promise<void> = Promise.resolve()
  #unsubscribe = () => {}

  constructor(options: KubeletOptions) {
    this.#options = options
  }

  start(): void {
    this.#unsubscribe = this.#options.pods.subscribe(change => {
      this.#work = this.#work
        .then(() => this.#handle(change))
        .catch(error => this.#options.log(`kubelet: ${error.message}`))
    })
  }

  async stop(): Promise<void> {
    this.#unsubscribe()
    await this.#work
  }

  /** Starts what a killed node ran, as a kubelet does after a boot. */
  async restartNode(node: NodePlan): Promise<void> {
    for (const sandbox of this.#on(node)) await this.#run(sandbox)
  }

  /** Sets the readiness of all Pods of a node, as the node controller does when a node falls silent or returns. */
  async setReady(node: NodePlan, ready: boolean): Promise<void> {
    await Promise.all(this.#on(node).map(sandbox => this.#report(sandbox, ready)))
  }

  /** The machine of a Pod that was created, by its key. */
  machineOf(key: string): Machine | undefined {
    return this.#sandboxes.get(key)?.machine
  }

  #on(node: NodePlan): Sandbox[] {
    return [...this.#sandboxes.values()].filter(sandbox => sandbox.node === node)
  }

  async #handle({ kind, object }: Change<PodResource>): Promise<void> {
    const pod: LabPod = object
    const key = objectKey(pod.metadata)
    if (kind === 'deleted') return await this.#remove(key)
    if (this.#sandboxes.has(key) || pod.spec?.hostNetwork || pod.metadata.deletionTimestamp) return
    if (!pod.spec?.nodeName) return await this.#place(key, pod)
    this.#bound.set(key, pod.spec.nodeName)
    const node = this.#options.nodes.find(({ name }) => name === pod.spec?.nodeName)
    if (node !== undefined) await this.#create(key, pod, node)
  }

  /** On the live node with the fewest Pods. */
  async #place(key: string, pod: LabPod): Promise<void> {
    const { kube, nodes, alive } = this.#options
    const load = (node: NodePlan) => [...this.#bound.values()].filter(name => name === node.name).length
    const [first] = nodes.filter(alive).sort((a, b) => load(a) - load(b))
    if (first === undefined || this.#bound.has(key)) return
    this.#bound.set(key, first.name)
    await kube.patch(podType, pod.metadata, { type: 'merge', body: { spec: { nodeName: first.name } } })
  }

  async #create(key: string, pod: LabPod, node: NodePlan): Promise<void> {
    const { namespace = '', name } = pod.metadata
    const netns = netnsOf(this.#options.lab, `pod.${namespace}.${name}`)
    const sandbox = { pod, node, machine: { name, netns, ...this.#freeAddress(node) } }
    this.#sandboxes.set(key, sandbox)
    await addPod(node, sandbox.machine)
    await this.#report(sandbox, await this.#run(sandbox))
  }

  #freeAddress(node: NodePlan): Pick<Machine, 'address' | 'address6' | 'mac'> {
    const used = new Set(this.#on(node).map(({ machine }) => machine.address))
    for (let host = 2; host < 255; host++) {
      const address = node.podGateway.replace(/\d+$/, String(host))
      const mac = `02:00:0a:f4:${[node.index, host].map(byte => byte.toString(16).padStart(2, '0')).join(':')}`
      const address6 = node.podGateway6.replace(/1$/, String(host))
      if (!used.has(address)) return { address, address6, mac }
    }
    throw new Error(`${node.name} has no address left for a pod`)
  }

  /** Whether it listens: its node may be killed before it does. */
  async #run({ pod: { metadata, spec }, node, machine }: Sandbox): Promise<boolean> {
    const child = await this.#options.processes.start({
      name: processName(metadata),
      netns: machine.netns,
      node: node.name,
      argv: nodeCommand('web'),
      env: { POD_NAME: metadata.name, NODE_NAME: node.name, PORT: String(portOf(spec)) },
      capabilities: ['+net_bind_service'],
      ipc: true,
    })
    const [listens, ended] = [once(child, 'message').then(() => true), once(child, 'exit').then(() => false)]
    return await Promise.race([listens, ended])
  }

  async #report({ pod: { metadata, spec = {} }, node, machine }: Sandbox, ready: boolean): Promise<void> {
    const status = ready ? 'True' : 'False'
    const conditions = ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type, i) => ({
      type,
      status: i < 2 ? 'True' : status,
    }))
    const containerStatuses = (spec.containers ?? []).map(({ name = 'web' }) => ({ name, ready, restartCount: 0 }))
    const { address: podIP, address6 } = machine
    const addresses = { hostIP: node.address, podIP, podIPs: [{ ip: podIP }, { ip: address6 }] }
    const body = { status: { phase: 'Running', ...addresses, conditions, containerStatuses } }
    await this.#options.kube.patch(podType, metadata, { type: 'merge', body }, 'status')
  }

  async #remove(key: string): Promise<void> {
    this.#bound.delete(key)
    const sandbox = this.#sandboxes.get(key)
    if (sandbox === undefined) return
    this.#sandboxes.delete(key)
    await this.#options.processes.stop(({ name }) => name === processName(sandbox.pod.metadata))
    await removePod(sandbox.machine.netns)
  }
}

function processName({ namespace, name }: { namespace?: string; name: string }): string {
  return `pod-${namespace}-${name}`
}

function portOf(spec: LabPod['spec']): number {
  return spec?.containers?.[0]?.ports?.[0]?.containerPort ?? 8080
}
