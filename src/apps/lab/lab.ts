/** A running lab: builds everything in order, breaks and mends it on demand, and takes it down again. */
import type { KubeClient } from '../../adapters/kube/index.ts'
import { Applier, parseManifest } from './apply.ts'
import { type Output, type RunOptions, run } from './command.ts'
import { ControlPlane } from './control-plane.ts'
import type { LanFaults } from './fault-rules.ts'
import { Faults, type Network } from './faults.ts'
import { Host } from './machine.ts'
import { buildNetwork } from './network.ts'
import { speakerPod } from './objects.ts'
import { ownerOf } from './owner.ts'
import { type LabOptions, type Parts, startParts } from './parts.ts'
import { populate } from './populate.ts'
import { Processes } from './processes.ts'
import { labDirectory, makeDirectory, recordOf, writeState } from './state.ts'
import { removeLeftovers, supervisorOf } from './teardown.ts'
import { ensureTools } from './tools.ts'
import { CONTROL_ADDRESS, type NodePlan, netnsOf, type Plan, planLab } from './topology.ts'
import { waitFor } from './wait.ts'

/** Rejects with a sentence, and with nothing left behind. */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const plan = planLab(options.name ?? 'lab', options.nodes ?? 3)
  await ensureTools()
  const running = supervisorOf(plan.name)
  if (running !== undefined) throw new Error(`lab '${plan.name}' is running already (pid ${running.pid})`)
  const lab = new Lab(plan, options)
  try {
    await lab.start()
    return lab
  } catch (error) {
    await lab.close()
    throw error
  }
}

export class Lab {
  readonly plan: Plan
  readonly dir: string
  readonly client: Host
  readonly router: Host
  /** Where API server and controller run. */
  readonly control: Host
  readonly #options: LabOptions
  readonly #processes: Processes
  readonly #faults: Faults
  readonly #log: (line: string) => void
  #parts: Parts | undefined

  constructor(plan: Plan, options: LabOptions) {
    this.plan = plan
    this.dir = labDirectory(plan.name)
    this.client = new Host(plan.client)
    this.router = new Host(plan.router)
    this.control = new Host({ name: 'control', netns: plan.control, address: CONTROL_ADDRESS, mac: '' })
    this.#options = options
    this.#log = options.log ?? (() => {})
    this.#processes = new Processes(this.dir, () => this.#save())
    this.#faults = new Faults(plan, this.#processes)
  }

  /** The administrator's client. */
  get kube(): KubeClient {
    return this.#need.plane.kube
  }

  /** For kubectl on this machine. */
  get kubeconfig(): string {
    return this.#need.plane.kubeconfig('admin')
  }

  get #need(): Parts {
    if (this.#parts === undefined) throw new Error(`lab '${this.plan.name}' has no control plane yet`)
    return this.#parts
  }

  async start(): Promise<void> {
    const { plan } = this
    await removeLeftovers(plan.name)
    makeDirectory(this.dir)
    this.#save()
    await this.#step(`${plan.nodes.length} nodes, a client and a router on a bridge`, () =>
      buildNetwork(plan, this.#options),
    )
    await this.#step('the API server', async () => {
      const plane = await ControlPlane.start(plan, this.dir, this.#processes)
      const { dir } = this
      this.#parts = startParts({ plan, dir, plane, processes: this.#processes, faults: this.#faults }, this.#options)
      await populate(plane.kube, plan, { webhooks: this.#options.metallb !== false })
      plane.informers.start()
    })
    if (this.#options.metallb === false) return
    await this.#step('the controller', () => this.restartController())
    await this.#step('the speakers', () => Promise.all(plan.nodes.map(({ name }) => this.restartSpeaker(name))))
  }

  /** Takes everything down, as far as it was built. */
  async close(): Promise<void> {
    const { plane, kubelet, proxy, nodeController } = this.#parts ?? {}
    nodeController?.stop()
    await Promise.all([kubelet?.stop(), proxy?.stop(), plane?.close()])
    this.#parts = undefined
    await this.#processes.stop(() => true)
    await removeLeftovers(this.plan.name)
  }

  // ── looking ──

  /** A node by its name or its number from 1. */
  node(which: string | number): Host {
    return new Host(this.#planOf(typeof which === 'number' ? `node${which}` : which))
  }

  /** Everybody on the LAN. */
  get machines(): Host[] {
    return [this.router, this.client, ...this.plan.nodes.map(node => new Host(node))]
  }

  /** A Pod's own network; throws where the lab does not run it. */
  pod(name: string, namespace = 'default'): Host {
    const machine = this.#need.kubelet.machineOf(`${namespace}/${name}`)
    if (machine === undefined) throw new RangeError(`no pod '${namespace}/${name}' runs in the lab`)
    return new Host(machine)
  }

  /** The namespace of a machine: a node, `client`, `router`, `switch`, `control` or a pod (`pod.NAMESPACE.NAME`). */
  netns(machine: string): string {
    return netnsOf(this.plan.name, machine)
  }

  /** Which node answers ARP or NDP for the address, asked from the client; undefined where nobody does. */
  owner(address: string): Promise<string | undefined> {
    return ownerOf(address, this.client, this.plan.nodes)
  }

  logs(process: string): string {
    return this.#processes.log(process)
  }

  pid(process: string): number | undefined {
    return this.#processes.pid(process)
  }

  /** What is broken about a node or machine; empty where nothing is. */
  faultsOf(machine: string): string[] {
    return this.#faults.of(machine)
  }

  waitFor = waitFor

  // ── using ──

  /** kubectl as the administrator; rejects where there is none. */
  kubectl(args: readonly string[], options: RunOptions = {}): Promise<Output> {
    return run(['kubectl', ...args], { ...options, env: { KUBECONFIG: this.kubeconfig, ...options.env } })
  }

  /** Creates the objects of a YAML text or merges them in. */
  async apply(yaml: string): Promise<void> {
    await new Applier(this.kube).apply(parseManifest(yaml, 'the manifest'))
  }

  // ── breaking and mending ──

  /** kill -9 for a whole node: all of its processes and links at once. */
  async kill(node: string): Promise<void> {
    const plan = this.#planOf(node)
    await this.#faults.kill(plan)
    this.#need.nodeController.fellSilent(plan)
  }

  /** Stops all processes of a node, or a single one (`speaker-node1`), without ending them. */
  freeze(name: string): void {
    const plan = this.plan.nodes.find(node => node.name === name)
    if (plan === undefined && this.pid(name) === undefined) throw new RangeError(`no node or process '${name}'`)
    this.#faults.freeze(name)
    if (plan !== undefined) this.#need.nodeController.fellSilent(plan)
  }

  /** Takes the carrier from a machine's links; default the LAN's alone. */
  async cut(machine: string, networks: readonly Network[] = ['lan']): Promise<void> {
    this.#ensureMachines([machine])
    await this.#faults.cut(machine, networks)
    const plan = this.plan.nodes.find(node => node.name === machine)
    if (plan !== undefined && networks.includes('mgmt')) this.#need.nodeController.fellSilent(plan)
  }

  /** Groups of machines that do not reach each other on the LAN; one in no group reaches everybody. */
  async partition(groups: LanFaults['groups']): Promise<void> {
    this.#ensureMachines(groups.flat())
    await this.#faults.partition(groups)
  }

  /** Loses this share of the frames to and from the machine, in percent. */
  async loss(machine: string, percent: number): Promise<void> {
    this.#ensureMachines([machine])
    await this.#faults.loss(machine, percent)
  }

  /** Mends everything and boots what was killed. */
  async heal(): Promise<void> {
    const { kubelet, nodeController, proxy } = this.#need
    const booting = await this.#faults.heal()
    const speakers = this.#options.metallb === false ? [] : booting.map(({ name }) => this.restartSpeaker(name))
    await Promise.all([...speakers, ...booting.map(node => kubelet.restartNode(node))])
    await Promise.all(this.plan.nodes.map(node => nodeController.returned(node)))
    await proxy.sync()
  }

  /** Ends it by SIGTERM where it runs, starts it and waits until it is ready. */
  async restartSpeaker(node: string): Promise<void> {
    await this.stopSpeaker(node)
    await this.#need.daemons.startSpeaker(this.#planOf(node))
  }

  /** Ends it by SIGTERM, and waits for its end. */
  stopSpeaker(node: string): Promise<void> {
    return this.#need.daemons.stop(speakerPod(node))
  }

  async restartController(): Promise<void> {
    await this.stopController()
    await this.#need.daemons.startController()
  }

  stopController(): Promise<void> {
    return this.#need.daemons.stop('controller')
  }

  /** The API server keeps its data over a restart. */
  readonly apiserver = {
    stop: () => this.#need.plane.stopServer(),
    start: () => this.#need.plane.startServer(),
    restart: async () => {
      await this.apiserver.stop()
      await this.apiserver.start()
    },
  }

  // ── building ──

  async #step(what: string, work: () => Promise<unknown>): Promise<void> {
    const begin = performance.now()
    await work()
    this.#log(`${what} (${Math.round(performance.now() - begin)} ms)`)
  }

  #ensureMachines(names: readonly string[]): void {
    const known = this.machines.map(({ name }) => name)
    for (const name of names)
      if (!known.includes(name)) throw new RangeError(`no machine '${name}': there are ${known.join(', ')}`)
  }

  #planOf(name: string): NodePlan {
    const node = this.plan.nodes.find(candidate => candidate.name === name)
    const all = this.plan.nodes.map(known => known.name).join(', ')
    if (node === undefined) throw new RangeError(`no node '${name}': the lab has ${all}`)
    return node
  }

  #save(): void {
    const supervisor = recordOf('supervisor', process.pid)
    writeState(this.dir, { name: this.plan.name, supervisor, processes: this.#processes.records })
  }
}
