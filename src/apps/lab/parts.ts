/** What runs beside the machines of a lab, and acts on the objects of its API server. */
import { endpointSlices, pods, services } from '../../api/kubernetes/index.ts'
import type { ControlPlane } from './control-plane.ts'
import { Daemons } from './daemons.ts'
import type { Faults } from './faults.ts'
import { KubeProxy } from './kube-proxy.ts'
import { Kubelet } from './kubelet.ts'
import { NodeController } from './node-controller.ts'
import type { Processes } from './processes.ts'
import type { NodePlan, Plan } from './topology.ts'

export interface LabOptions {
  /** Default 3. */
  readonly nodes?: number
  /** Labs of different names do not know of each other. Default `lab`. */
  readonly name?: string
  /** Progress and complaints, a line each. */
  readonly log?: (line: string) => void
  /** False: the cluster without controller and speakers. */
  readonly metallb?: boolean
  readonly speakerFlags?: readonly string[]
  readonly controllerFlags?: readonly string[]
  /** Each node also has a cable of its own to the router, `uplink`, without addresses: for BGP unnumbered. */
  readonly uplinks?: boolean
  /** How long a node may be silent before it and its Pods count as not ready. Default 5 s; clusters wait 40 to 50. */
  readonly notReadyAfterMs?: number
}

export interface Parts {
  readonly plane: ControlPlane
  readonly kubelet: Kubelet
  readonly proxy: KubeProxy
  readonly nodeController: NodeController
  readonly daemons: Daemons
}

interface Surroundings {
  readonly plan: Plan
  readonly dir: string
  readonly plane: ControlPlane
  readonly processes: Processes
  readonly faults: Faults
}

/** Kubelet and kube-proxy work from now on; daemons wait to be told. */
export function startParts({ plan, dir, plane, processes, faults }: Surroundings, options: LabOptions): Parts {
  const { speakerFlags = [], controllerFlags = [], notReadyAfterMs = 5000, log = () => {} } = options
  const { kube, informers } = plane
  const shared = { nodes: plan.nodes, log }
  const reachable = (node: NodePlan) => faults.reachesApi(node)
  const running = { kube, pods: informers.of(pods), processes }
  const kubelet = new Kubelet({ ...shared, ...running, lab: plan.name, alive: reachable })
  const slices = informers.of(endpointSlices)
  const proxy = new KubeProxy({ ...shared, services: informers.of(services), slices, reachable })
  const nodeController = new NodeController({ kube, kubelet, graceMs: notReadyAfterMs, log })
  const daemons = new Daemons({ plan, dir, plane, processes, speakerFlags, controllerFlags })
  kubelet.start()
  proxy.start()
  return { plane, kubelet, proxy, nodeController, daemons }
}
