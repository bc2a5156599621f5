/** What `kubectl get` shows of the built-in kinds. */
import { type KubeJson, listAt, valueAt } from './object.ts'
import { AGE, age, type Column, NAME } from './table.ts'

const text = (name: string, path: string, priority = 0): Column => ({
  name,
  type: 'string',
  priority,
  cell: object => orNone(valueAt(object, path)),
})

function orNone(value: unknown): unknown {
  return value === undefined || value === '' || value === null ? '<none>' : value
}

const count = (name: string, cell: (object: KubeJson) => number): Column => ({ name, type: 'integer', cell })
const size = (value: unknown): number => (typeof value === 'object' && value !== null ? Object.keys(value).length : 0)
const named = (name: string, cell: (object: KubeJson) => unknown, priority = 0): Column => ({
  name,
  type: 'string',
  priority,
  cell: object => orNone(cell(object)),
})

function servicePorts(service: KubeJson): string {
  const ports = listAt(service, 'spec.ports')
  return ports
    .map(({ port, nodePort, protocol = 'TCP' }) =>
      nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
    )
    .join(',')
}

function externalAddresses(service: KubeJson): string {
  const ingress = listAt(service, 'status.loadBalancer.ingress').map(({ ip, hostname }) => String(ip ?? hostname))
  const external = valueAt(service, 'spec.externalIPs')
  const all = [...ingress, ...(Array.isArray(external) ? external.map(String) : [])]
  if (all.length > 0) return all.join(',')
  return valueAt(service, 'spec.type') === 'LoadBalancer' ? '<pending>' : '<none>'
}

function selectorText(selector: unknown): string {
  if (typeof selector !== 'object' || selector === null) return '<none>'
  return Object.entries(selector)
    .sort()
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
}

function nodeAddress(node: KubeJson, type: string): unknown {
  return listAt(node, 'status.addresses').find(address => address.type === type)?.address
}

function nodeStatus(node: KubeJson): string {
  const ready = listAt(node, 'status.conditions').find(condition => condition.type === 'Ready')?.status
  const words = [ready === 'True' ? 'Ready' : ready === 'False' ? 'NotReady' : 'Unknown']
  if (valueAt(node, 'spec.unschedulable') === true) words.push('SchedulingDisabled')
  return words.join(',')
}

function nodeRoles(node: KubeJson): string {
  const prefix = 'node-role.kubernetes.io/'
  const labels = Object.keys(node.metadata.labels ?? {}).filter(label => label.startsWith(prefix))
  return labels.map(label => label.slice(prefix.length)).join(',')
}

function podReady(pod: KubeJson): string {
  const ready = listAt(pod, 'status.containerStatuses').filter(status => status.ready === true).length
  return `${ready}/${listAt(pod, 'spec.containers').length}`
}

function eventObject(event: KubeJson): string {
  return `${String(valueAt(event, 'involvedObject.kind') ?? '').toLowerCase()}/${valueAt(event, 'involvedObject.name')}`
}

function slicePorts(slice: KubeJson): string {
  return listAt(slice, 'ports')
    .map(({ port }) => port ?? '*')
    .join(',')
}

function sliceAddresses(slice: KubeJson): string {
  const all = listAt(slice, 'endpoints').flatMap(({ addresses }) => (Array.isArray(addresses) ? addresses : []))
  return all.length > 3 ? `${all.slice(0, 3).join(',')} + ${all.length - 3} more...` : all.join(',')
}

/** The columns kubectl users know, by kind. */
export const BUILT_IN_COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  Namespace: [text('Status', 'status.phase'), AGE],
  Node: [
    named('Status', nodeStatus),
    named('Roles', nodeRoles),
    AGE,
    text('Version', 'status.nodeInfo.kubeletVersion'),
    named('Internal-IP', node => nodeAddress(node, 'InternalIP'), 1),
    named('External-IP', node => nodeAddress(node, 'ExternalIP'), 1),
    text('OS-Image', 'status.nodeInfo.osImage', 1),
    text('Kernel-Version', 'status.nodeInfo.kernelVersion', 1),
    text('Container-Runtime', 'status.nodeInfo.containerRuntimeVersion', 1),
  ],
  Pod: [
    named('Ready', podReady),
    named('Status', pod => (pod.metadata.deletionTimestamp ? 'Terminating' : valueAt(pod, 'status.phase'))),
    named('Restarts', pod =>
      listAt(pod, 'status.containerStatuses').reduce((n, s) => n + Number(s.restartCount ?? 0), 0),
    ),
    AGE,
    text('IP', 'status.podIP', 1),
    text('Node', 'spec.nodeName', 1),
    text('Nominated Node', 'status.nominatedNodeName', 1),
    named('Readiness Gates', () => undefined, 1),
  ],
  Service: [
    text('Type', 'spec.type'),
    text('Cluster-IP', 'spec.clusterIP'),
    named('External-IP', externalAddresses),
    named('Port(s)', servicePorts),
    AGE,
    named('Selector', service => selectorText(valueAt(service, 'spec.selector')), 1),
  ],
  EndpointSlice: [
    text('AddressType', 'addressType'),
    named('Ports', slicePorts),
    named('Endpoints', sliceAddresses),
    AGE,
  ],
  ConfigMap: [count('Data', ({ data, binaryData }) => size(data) + size(binaryData)), AGE],
  Secret: [text('Type', 'type'), count('Data', ({ data }) => size(data)), AGE],
  ServiceAccount: [count('Secrets', ({ secrets }) => size(secrets)), AGE],
  Event: [
    named('Last Seen', event => age(event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp)),
    text('Type', 'type'),
    text('Reason', 'reason'),
    named('Object', eventObject),
    named('Message', ({ message }) => String(message ?? '').trim()),
    text('Source', 'source.component', 1),
    named('Count', event => event.count ?? 1, 1),
    { ...NAME, priority: 1 },
  ],
  Lease: [text('Holder', 'spec.holderIdentity'), AGE],
  Deployment: [
    named('Ready', ({ status, spec }) => `${valueAt(status, 'readyReplicas') ?? 0}/${valueAt(spec, 'replicas') ?? 1}`),
    count('Up-to-date', object => Number(valueAt(object, 'status.updatedReplicas') ?? 0)),
    count('Available', object => Number(valueAt(object, 'status.availableReplicas') ?? 0)),
    AGE,
  ],
  DaemonSet: [
    count('Desired', object => Number(valueAt(object, 'status.desiredNumberScheduled') ?? 0)),
    count('Ready', object => Number(valueAt(object, 'status.numberReady') ?? 0)),
    AGE,
  ],
  Role: [named('Created At', ({ metadata }) => metadata.creationTimestamp)],
  ClusterRole: [named('Created At', ({ metadata }) => metadata.creationTimestamp)],
  RoleBinding: [named('Role', ({ roleRef }) => `${valueAt(roleRef, 'kind')}/${valueAt(roleRef, 'name')}`), AGE],
  ClusterRoleBinding: [named('Role', ({ roleRef }) => `${valueAt(roleRef, 'kind')}/${valueAt(roleRef, 'name')}`), AGE],
  CustomResourceDefinition: [named('Created At', ({ metadata }) => metadata.creationTimestamp)],
  ValidatingWebhookConfiguration: [count('Webhooks', ({ webhooks }) => size(webhooks)), AGE],
}
