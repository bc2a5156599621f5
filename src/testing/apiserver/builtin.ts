/** The built-in kinds the server knows. A Deployment is only a stored object here: nothing acts on it. */

import { BUILT_IN_COLUMNS } from './columns.ts'
import { admitCrd } from './crd.ts'
import { invalidValue } from './errors.ts'
import { isFields, type KubeJson, valueAt } from './object.ts'
import type { MergeKeys } from './patch.ts'
import { type Admit, defineResource, type Resource } from './resources.ts'
import { SERVICE_SCHEMA } from './service-schema.ts'
import { admitService } from './services.ts'

const POD_SPEC_KEYS: MergeKeys = {
  containers: 'name',
  initContainers: 'name',
  'containers.ports': 'containerPort',
  'containers.env': 'name',
  'containers.volumeMounts': 'mountPath',
  'initContainers.ports': 'containerPort',
  'initContainers.env': 'name',
  'initContainers.volumeMounts': 'mountPath',
  volumes: 'name',
  imagePullSecrets: 'name',
  hostAliases: 'ip',
  topologySpreadConstraints: 'topologyKey',
}

function under(path: string, keys: MergeKeys): MergeKeys {
  return Object.fromEntries(Object.entries(keys).map(([inner, key]) => [`${path}.${inner}`, key]))
}

const CONDITIONS: MergeKeys = { 'status.conditions': 'type' }

/** Fields a new object of the kind has where the request gives none. */
function initially(path: 'status' | 'spec', fields: Record<string, unknown>): Admit {
  return (object, before) => {
    if (before === undefined) object[path] = { ...fields, ...(isFields(object[path]) ? object[path] : {}) }
    return []
  }
}

const admitNamespace: Admit = (namespace, before) => {
  namespace.metadata.labels = { ...namespace.metadata.labels, 'kubernetes.io/metadata.name': namespace.metadata.name }
  if (before !== undefined) {
    Object.assign(namespace, { spec: before.spec, status: before.status }) // only the garbage collector changes these
    return []
  }
  namespace.spec = { finalizers: ['kubernetes'] }
  namespace.status = { phase: 'Active' }
  return []
}

/** stringData is written into data and never stored. */
const admitSecret: Admit = secret => {
  secret.type ??= 'Opaque'
  if (isFields(secret.stringData)) {
    const encoded = Object.entries(secret.stringData).map(([key, text]) => [
      key,
      Buffer.from(String(text)).toString('base64'),
    ])
    secret.data = { ...(isFields(secret.data) ? secret.data : {}), ...Object.fromEntries(encoded) }
    delete secret.stringData
  }
  return []
}

/** An event is where its object is; those of objects without a namespace are in `default` (core/v1 validation). */
const admitEvent: Admit = (event: KubeJson) => {
  const about = valueAt(event, 'involvedObject.namespace') || undefined
  if (event.metadata.namespace === (about ?? 'default')) return []
  return [invalidValue('involvedObject.namespace', about ?? '', 'does not match event.namespace')]
}

const EVENT_FIELDS = [
  ...['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map(
    at => `involvedObject.${at}`,
  ),
  'reason',
  'reportingComponent',
  'source',
  'type',
]

type Short = Partial<Resource> & Pick<Resource, 'kind' | 'plural'>

function group(name: string, version: string, resources: Short[]): Resource[] {
  return resources.map(resource =>
    defineResource({ group: name, version, columns: BUILT_IN_COLUMNS[resource.kind] ?? [], ...resource }),
  )
}

const cluster = { namespaced: false }
const withStatus = { statusSubresource: true }
const workload: Partial<Resource> = {
  ...withStatus,
  countsGenerations: true,
  categories: ['all'],
  mergeKeys: { ...under('spec.template.spec', POD_SPEC_KEYS), ...CONDITIONS },
}

export const BUILT_IN: readonly Resource[] = [
  ...group('', 'v1', [
    { kind: 'Namespace', plural: 'namespaces', shortNames: ['ns'], names: 'label', admit: admitNamespace, ...cluster },
    {
      kind: 'Node',
      plural: 'nodes',
      shortNames: ['no'],
      selectable: ['spec.unschedulable'],
      mergeKeys: { ...CONDITIONS, 'status.addresses': 'type', 'spec.podCIDRs': '' },
      ...cluster,
      ...withStatus,
    },
    {
      kind: 'Pod',
      plural: 'pods',
      shortNames: ['po'],
      categories: ['all'],
      selectable: ['spec.nodeName', 'status.phase', 'status.podIP', 'spec.serviceAccountName', 'spec.schedulerName'],
      mergeKeys: { ...under('spec', POD_SPEC_KEYS), ...CONDITIONS, 'status.podIPs': 'ip' },
      admit: initially('status', { phase: 'Pending' }),
      ...withStatus,
    },
    {
      kind: 'Service',
      plural: 'services',
      shortNames: ['svc'],
      categories: ['all'],
      names: 'label-1035',
      selectable: ['spec.clusterIP', 'spec.type'],
      mergeKeys: { ...CONDITIONS, 'spec.ports': 'port' },
      schema: SERVICE_SCHEMA,
      admit: admitService,
      ...withStatus,
    },
    { kind: 'Endpoints', plural: 'endpoints', singular: 'endpoints', shortNames: ['ep'] },
    { kind: 'ConfigMap', plural: 'configmaps', shortNames: ['cm'] },
    { kind: 'Secret', plural: 'secrets', selectable: ['type'], admit: admitSecret },
    {
      kind: 'ServiceAccount',
      plural: 'serviceaccounts',
      shortNames: ['sa'],
      mergeKeys: { secrets: 'name', imagePullSecrets: 'name' },
    },
    { kind: 'Event', plural: 'events', shortNames: ['ev'], selectable: EVENT_FIELDS, admit: admitEvent },
  ]),
  ...group('discovery.k8s.io', 'v1', [{ kind: 'EndpointSlice', plural: 'endpointslices', countsGenerations: true }]),
  ...group('coordination.k8s.io', 'v1', [{ kind: 'Lease', plural: 'leases', needsRevision: true }]),
  ...group('apps', 'v1', [
    { kind: 'Deployment', plural: 'deployments', shortNames: ['deploy'], ...workload },
    { kind: 'DaemonSet', plural: 'daemonsets', shortNames: ['ds'], ...workload },
  ]),
  ...group('rbac.authorization.k8s.io', 'v1', [
    { kind: 'Role', plural: 'roles', names: 'path' },
    { kind: 'RoleBinding', plural: 'rolebindings', names: 'path' },
    { kind: 'ClusterRole', plural: 'clusterroles', names: 'path', ...cluster },
    { kind: 'ClusterRoleBinding', plural: 'clusterrolebindings', names: 'path', ...cluster },
  ]),
  ...group('apiextensions.k8s.io', 'v1', [
    {
      kind: 'CustomResourceDefinition',
      plural: 'customresourcedefinitions',
      shortNames: ['crd', 'crds'],
      countsGenerations: true,
      needsRevision: true,
      admit: admitCrd,
      ...cluster,
      ...withStatus,
    },
  ]),
  ...group('admissionregistration.k8s.io', 'v1', [
    {
      kind: 'ValidatingWebhookConfiguration',
      plural: 'validatingwebhookconfigurations',
      mergeKeys: { webhooks: 'name' },
      countsGenerations: true,
      ...cluster,
    },
  ]),
]
