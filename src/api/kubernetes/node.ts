/** core/v1 Node and Namespace. */
import { parseAddress } from '../../core/ip/index.ts'
import type { KubeObject, ResourceType } from '../../core/object.ts'
import type { Node } from '../../core/service.ts'

export interface NodeResource extends KubeObject {
  spec?: { unschedulable?: boolean; podCIDRs?: string[]; taints?: { key: string; value?: string; effect?: string }[] }
  status?: {
    conditions?: { type: string; status: string; reason?: string; message?: string }[]
    addresses?: { type: string; address: string }[]
  }
}

export const nodes: ResourceType<NodeResource> = {
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  namespaced: false,
}

export interface NamespaceResource extends KubeObject {
  status?: { phase?: string }
}

export const namespaces: ResourceType<NamespaceResource> = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  namespaced: false,
}

/** Set by cloud providers, and by people who know that a machine is off. */
const SHUTDOWN_TAINTS = ['node.cloudprovider.kubernetes.io/shutdown', 'node.kubernetes.io/out-of-service']

export function parseNode({ metadata, spec = {}, status = {} }: NodeResource): Node {
  const conditionIsTrue = (type: string) => (status.conditions ?? []).some(c => c.type === type && c.status === 'True')
  return {
    name: metadata.name,
    labels: metadata.labels ?? {},
    networkUnavailable: conditionIsTrue('NetworkUnavailable'),
    ready: conditionIsTrue('Ready'),
    unschedulable: spec.unschedulable ?? false,
    shutDown: (spec.taints ?? []).some(({ key }) => SHUTDOWN_TAINTS.includes(key)),
    addresses: (status.addresses ?? []).map(({ address }) => parseAddress(address)).filter(a => a !== undefined),
  }
}
