import {
  type ConfigSnapshot,
  type ConfigurationStateResource,
  type EndpointSliceResource,
  groupObjects,
  type PodResource,
  type ServiceL2StatusResource,
  type ServiceResource,
} from '../../api/index.ts'
import type { KubeObject } from '../../core/object.ts'

/** Everything that the decisions look at, at one moment: from the API or from files. */
export interface Cluster {
  readonly snapshot: ConfigSnapshot
  readonly services: readonly ServiceResource[]
  readonly endpointSlices: readonly EndpointSliceResource[]
  /** Of the MetalLB namespace; undefined where they are not known. */
  readonly pods?: readonly PodResource[]
  readonly l2Statuses: readonly ServiceL2StatusResource[]
  /** What each process says of the configuration; absent where that is not known. */
  readonly configurationStates?: readonly ConfigurationStateResource[]
}

/** What a pile of objects says of a cluster. Configuration kinds count only in the MetalLB namespace. */
export function clusterOf(objects: readonly KubeObject[], namespace: string): Cluster {
  const located = objects.map(object => locate(object, namespace))
  const ofKind = <T extends KubeObject>(kind: string) => located.filter(object => object.kind === kind) as T[]
  const configuring = located.filter(
    ({ metadata }) => metadata.namespace === undefined || metadata.namespace === namespace,
  )
  const pods = ofKind<PodResource>('Pod').filter(({ metadata }) => metadata.namespace === namespace)
  return {
    snapshot: groupObjects(configuring),
    services: ofKind('Service'),
    endpointSlices: ofKind('EndpointSlice'),
    pods: pods.length === 0 ? undefined : pods,
    l2Statuses: ofKind('ServiceL2Status'),
    configurationStates: ofKind('ConfigurationState'),
  }
}

/** The pile of objects that the cluster was made of. */
export function objectsOf(cluster: Cluster): KubeObject[] {
  const { snapshot, services, endpointSlices, pods = [], l2Statuses, configurationStates = [] } = cluster
  const configuration = Object.values(snapshot).flatMap((list: readonly KubeObject[] | undefined) => list ?? [])
  return [...configuration, ...services, ...endpointSlices, ...pods, ...l2Statuses, ...configurationStates]
}

const CLUSTER_SCOPED = new Set(['Node', 'Namespace'])

/** Files leave the namespace out where `kubectl apply` would fill it in: ours for MetalLB's kinds, else `default`. */
export function locate(object: KubeObject, namespace: string): KubeObject {
  const { metadata, apiVersion = '', kind = '' } = object
  if (metadata.namespace !== undefined || CLUSTER_SCOPED.has(kind)) return object
  const own = apiVersion.startsWith('metallb.io/')
  return { ...object, metadata: { ...metadata, namespace: own ? namespace : 'default' } }
}

/** Nodes whose speaker runs, by either label scheme of the manifests; undefined where no pod is known. */
export function speakerNodes(pods: readonly PodResource[] | undefined): ReadonlySet<string> | undefined {
  if (pods === undefined) return undefined
  const nodes = pods
    .filter(({ metadata: { labels = {} } }) => [labels.component, labels[HELM_COMPONENT]].includes('speaker'))
    .filter(({ status }) => status?.phase === undefined || status.phase === 'Running')
    .flatMap(({ spec }) => spec?.nodeName ?? [])
  return nodes.length === 0 ? undefined : new Set(nodes)
}

const HELM_COMPONENT = 'app.kubernetes.io/component'
