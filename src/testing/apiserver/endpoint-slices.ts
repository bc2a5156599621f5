/** EndpointSlices (discovery.k8s.io/v1) of every Service with a selector, made from the Pods it selects. */
import { isDeepStrictEqual } from 'node:util'
import type { Cluster } from './cluster.ts'
import { remove } from './deletion.ts'
import {
  type Fields,
  fieldsAt,
  isFields,
  type KubeJson,
  listAt,
  nameSuffix,
  newUid,
  timestamp,
  valueAt,
} from './object.ts'
import type { Entry, StoreEvent } from './store.ts'

const SLICES = 'discovery.k8s.io/endpointslices'
const MANAGER = 'endpointslice-controller.k8s.io'
const MAX_ENDPOINTS = 100

/** Works right after each change, never inside the request that made it. */
export class EndpointSliceController {
  readonly #cluster: Cluster
  /** Keys of the slices by the key of their Service. */
  readonly #slices = new Map<string, Set<string>>()
  readonly #dirty = new Set<string>()
  readonly #unfollow: () => void

  constructor(cluster: Cluster) {
    this.#cluster = cluster
    for (const entry of cluster.store.list(SLICES)) this.#learn(entry, true)
    this.#unfollow = cluster.store.followAll(event => {
      if (event.resource === SLICES) this.#learn(event.entry, event.type !== 'DELETED')
      for (const key of affected(cluster, event)) this.#touch(key)
    })
    for (const { key } of cluster.store.list('/services')) this.#touch(key)
  }

  stop(): void {
    this.#unfollow()
    this.#dirty.clear()
  }

  #learn({ object, key }: Entry, present: boolean): void {
    const service = serviceOf(object)
    const keys = this.#slices.get(service) ?? new Set()
    if (present) this.#slices.set(service, keys.add(key))
    else keys.delete(key)
  }

  #touch(key: string): void {
    if (this.#dirty.size === 0) setImmediate(() => this.#run())
    this.#dirty.add(key)
  }

  #run(): void {
    const keys = [...this.#dirty]
    this.#dirty.clear()
    for (const key of keys) this.#reconcile(key)
  }

  #reconcile(key: string): void {
    const { store, registry } = this.#cluster
    const service = store.get('/services', key)?.object
    if (service === undefined || service.metadata.deletionTimestamp !== undefined || !hasSelector(service)) return
    const existing = this.#owned(key, service)
    for (const wanted of wantedSlices(this.#cluster, service)) {
      const at = existing.findIndex(({ object }) => sameShape(object, wanted))
      const [entry] = at < 0 ? [] : existing.splice(at, 1)
      if (entry === undefined) store.put(SLICES, newSlice(service, wanted))
      else if (!isDeepStrictEqual(entry.object.endpoints, wanted.endpoints))
        store.put(SLICES, { ...entry.object, ...wanted, metadata: bumped(entry.object) })
    }
    for (const entry of existing) remove(this.#cluster, registry.byId(SLICES)!, entry)
  }

  #owned(key: string, { metadata }: KubeJson): Entry[] {
    return [...(this.#slices.get(key) ?? [])]
      .flatMap(slice => this.#cluster.store.get(SLICES, slice) ?? [])
      .filter(({ object }) => object.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid) === true)
  }
}

function serviceOf({ metadata }: KubeJson): string {
  return `${metadata.namespace}/${metadata.labels?.['kubernetes.io/service-name']}`
}

/** The Services an event may change the endpoints of. */
function affected({ store }: Cluster, { resource, entry, before, type }: StoreEvent): string[] {
  const { object } = entry
  if (resource === SLICES) return type === 'DELETED' ? [serviceOf(object)] : []
  if (resource === '/services') return isDeepStrictEqual(before?.object.spec, object.spec) ? [] : [entry.key]
  if (resource !== '/pods') return []
  const pods = before === undefined ? [object] : [object, before.object]
  return store
    .list('/services')
    .filter(service => service.object.metadata.namespace === object.metadata.namespace)
    .filter(service => pods.some(pod => selects(service.object, pod)))
    .map(({ key }) => key)
}

function selectorOf(service: KubeJson): [string, unknown][] {
  return Object.entries(fieldsAt(fieldsAt(service, 'spec'), 'selector'))
}

const hasSelector = (service: KubeJson) => selectorOf(service).length > 0

function selects(service: KubeJson, { metadata }: KubeJson): boolean {
  return hasSelector(service) && selectorOf(service).every(([key, value]) => metadata.labels?.[key] === value)
}

function sameShape(slice: KubeJson, wanted: Fields): boolean {
  return slice.addressType === wanted.addressType && isDeepStrictEqual(slice.ports, wanted.ports)
}

function bumped({ metadata }: KubeJson): KubeJson['metadata'] {
  return { ...metadata, generation: (metadata.generation ?? 1) + 1 }
}

/** One slice a family and set of resolved ports, split at 100 endpoints; an empty one where no pod is selected. */
function wantedSlices({ store }: Cluster, service: KubeJson): Fields[] {
  const families = valueAt(service, 'spec.ipFamilies')
  const pods = store
    .list('/pods')
    .filter(({ object }) => object.metadata.namespace === service.metadata.namespace && selects(service, object))
  return (Array.isArray(families) ? families.map(String) : ['IPv4']).flatMap(family => {
    const groups = groupByPorts(service, pods, family)
    if (groups.size === 0) groups.set('[]', [])
    return [...groups].flatMap(([ports, endpoints]) =>
      chunks(endpoints).map(part => ({ addressType: family, endpoints: part, ports: JSON.parse(ports) as Fields[] })),
    )
  })
}

function groupByPorts(service: KubeJson, pods: Entry[], family: string): Map<string, Fields[]> {
  const groups = new Map<string, Fields[]>()
  for (const { object: pod } of pods) {
    const endpoint = endpointOf(service, pod, family)
    if (endpoint === undefined) continue
    const ports = JSON.stringify(listAt(service, 'spec.ports').flatMap(port => resolvedPort(port, pod)))
    groups.set(ports, [...(groups.get(ports) ?? []), endpoint])
  }
  return groups
}

function chunks(endpoints: Fields[]): Fields[][] {
  const count = Math.max(1, Math.ceil(endpoints.length / MAX_ENDPOINTS))
  return Array.from({ length: count }, (_, index) =>
    endpoints.slice(index * MAX_ENDPOINTS, (index + 1) * MAX_ENDPOINTS),
  )
}

function resolvedPort({ name, port, targetPort, protocol, appProtocol }: Fields, pod: KubeJson): Fields[] {
  const named = listAt(pod, 'spec.containers')
    .flatMap(container => listAt(container, 'ports'))
    .find(candidate => candidate.name === targetPort && (candidate.protocol ?? 'TCP') === protocol)
  const number = typeof targetPort === 'string' ? named?.containerPort : (targetPort ?? port)
  if (number === undefined) return []
  return [{ name: name ?? '', port: number, protocol, ...(appProtocol ? { appProtocol } : {}) }]
}

function endpointOf(service: KubeJson, pod: KubeJson, family: string): Fields | undefined {
  const ips = [...listAt(pod, 'status.podIPs').map(({ ip }) => String(ip)), String(valueAt(pod, 'status.podIP') ?? '')]
  const ip = ips.find(candidate => candidate !== '' && candidate.includes(':') === (family === 'IPv6'))
  const phase = valueAt(pod, 'status.phase')
  if (ip === undefined || phase === 'Succeeded' || phase === 'Failed') return undefined
  const serving = listAt(pod, 'status.conditions').some(({ type, status }) => type === 'Ready' && status === 'True')
  const terminating = pod.metadata.deletionTimestamp !== undefined
  const ready = valueAt(service, 'spec.publishNotReadyAddresses') === true || (serving && !terminating)
  const { name, namespace, uid } = pod.metadata
  const nodeName = valueAt(pod, 'spec.nodeName')
  return {
    addresses: [ip],
    conditions: { ready, serving, terminating },
    ...(nodeName ? { nodeName } : {}),
    targetRef: { kind: 'Pod', namespace, name, uid },
  }
}

function newSlice({ metadata }: KubeJson, wanted: Fields): KubeJson {
  const { name, namespace, uid } = metadata
  const owner = { apiVersion: 'v1', kind: 'Service', name, uid: uid!, controller: true, blockOwnerDeletion: true }
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      ...{ name: `${name}-${nameSuffix()}`, generateName: `${name}-`, namespace, uid: newUid(), generation: 1 },
      creationTimestamp: timestamp(),
      labels: {
        ...(isFields(metadata.labels) ? metadata.labels : {}),
        'endpointslice.kubernetes.io/managed-by': MANAGER,
        'kubernetes.io/service-name': name,
      },
      ownerReferences: [owner],
    },
    ...wanted,
  }
}
