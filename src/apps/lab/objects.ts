/** The API objects that stand for the machines and daemons of the lab. */
import type { NodeResource, PodResource } from '../../api/kubernetes/index.ts'
import type { NodePlan } from './topology.ts'

export const NAMESPACE = 'metallb-system'
export const SPEAKER_LABELS = 'app=metallb,component=speaker'

export const speakerPod = (node: string) => `speaker-${node}`
export const CONTROLLER_POD = 'controller-0'

export function nodeObject(node: NodePlan): NodeResource {
  const labels = {
    'kubernetes.io/hostname': node.name,
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': process.arch === 'x64' ? 'amd64' : process.arch,
  }
  return { metadata: { name: node.name, labels }, spec: { podCIDRs: [node.podCidr, node.podCidr6] } }
}

export function nodeStatus(node: NodePlan, ready: boolean): Pick<NodeResource, 'status'> {
  const condition = ready
    ? { status: 'True', reason: 'KubeletReady', message: 'the lab runs this node' }
    : { status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' }
  const addresses = [
    { type: 'InternalIP', address: node.address },
    { type: 'InternalIP', address: node.address6 },
    { type: 'Hostname', address: node.name },
  ]
  return { status: { addresses, conditions: [{ type: 'Ready', ...condition }] } }
}

/** A speaker shares its node's network; membership finds it by labels and podIP. */
export function speakerObject(node: NodePlan): PodResource {
  return daemonPod(speakerPod(node.name), 'speaker', { nodeName: node.name, hostNetwork: true })
}

export function controllerObject(): PodResource {
  return daemonPod(CONTROLLER_POD, 'controller', { nodeName: 'control', hostNetwork: true })
}

export function daemonStatus(component: string, address: string, ready: boolean): Pick<PodResource, 'status'> {
  const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }]
  const containerStatuses = [{ name: component, ready, restartCount: 0 }]
  const status = { phase: 'Running', hostIP: address, podIP: address, podIPs: [{ ip: address }], conditions }
  return { status: { ...status, containerStatuses } as PodResource['status'] }
}

function daemonPod(name: string, component: string, place: { nodeName: string; hostNetwork: boolean }): PodResource {
  const labels = { app: 'metallb', component }
  const spec = { ...place, serviceAccountName: component, containers: [{ name: component, image: 'metallb:lab' }] }
  return { metadata: { name, namespace: NAMESPACE, labels }, spec }
}
