/** Answers as tables (meta.k8s.io/v1 Table), what `kubectl get` prints. */
import { type KubeJson, listAt, valueAt } from './object.ts'

export interface Column {
  readonly name: string
  readonly type: string
  readonly format?: string
  readonly description?: string
  /** Above zero: only shown by `-o wide`. */
  readonly priority?: number
  /** The cell's value; undefined prints as `<none>` for built-in kinds and as nothing for custom ones. */
  readonly cell: (object: KubeJson) => unknown
}

/** Which part of the object a row carries (query parameter includeObject). */
export type IncludeObject = 'None' | 'Metadata' | 'Object'

const NAME: Column = { name: 'Name', type: 'string', format: 'name', cell: ({ metadata }) => metadata.name }
const AGE: Column = { name: 'Age', type: 'string', cell: ({ metadata }) => age(metadata.creationTimestamp) }

/** Name first, unless the kind has it elsewhere; and the age where the kind names no columns of its own. */
function allColumns(columns: readonly Column[]): readonly Column[] {
  if (columns.length === 0) return [NAME, AGE]
  return columns.some(({ name }) => name === 'Name') ? columns : [NAME, ...columns]
}

export function table(
  columns: readonly Column[],
  objects: readonly KubeJson[],
  metadata: Record<string, unknown>,
  include: IncludeObject = 'Metadata',
): Record<string, unknown> {
  const all = allColumns(columns)
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: all.map(({ name, type, format = '', description = '', priority = 0 }) => ({
      name,
      type,
      format,
      description,
      priority,
    })),
    rows: objects.map(object => ({
      cells: all.map(column => column.cell(object) ?? null),
      ...(include === 'None' ? {} : { object: include === 'Object' ? object : partial(object) }),
    })),
  }
}

export function partial({ metadata }: KubeJson): Record<string, unknown> {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata }
}

/** The age as kubectl prints durations: `5s`, `3m20s`, `5h`, `12d`. */
export function age(since: unknown, now = Date.now()): string {
  if (typeof since !== 'string') return '<unknown>'
  const seconds = Math.max(0, Math.floor((now - Date.parse(since)) / 1000))
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  const days = Math.floor(hours / 24)
  const two = (big: number, unit: string, rest: number, small: string) =>
    rest === 0 ? `${big}${unit}` : `${big}${unit}${rest}${small}`
  if (seconds < 120) return `${seconds}s`
  if (minutes < 10) return two(minutes, 'm', seconds % 60, 's')
  if (minutes < 180) return `${minutes}m`
  if (hours < 8) return two(hours, 'h', minutes % 60, 'm')
  if (hours < 48) return `${hours}h`
  if (days < 8) return two(days, 'd', hours % 24, 'h')
  return days < 730 ? `${days}d` : `${Math.floor(days / 365)}y`
}

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
