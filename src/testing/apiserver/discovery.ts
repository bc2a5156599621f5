/** Which groups, versions and resources there are: the aggregated form (apidiscovery.k8s.io) and the legacy one. */
import type { Fields } from './object.ts'
import type { Registry } from './registry.ts'
import type { Resource } from './resources.ts'
import { REVIEWS } from './reviews.ts'

/** A discoverable resource: an object kind, or a review that can only be created. */
type Discovered = Pick<
  Resource,
  'group' | 'version' | 'kind' | 'plural' | 'singular' | 'shortNames' | 'categories' | 'namespaced' | 'verbs'
> & { statusSubresource: boolean }

function discovered(registry: Registry): Discovered[] {
  const reviews = REVIEWS.map(({ group, kind, plural, namespaced = false }) => ({
    ...{ group, version: 'v1', kind, plural, namespaced, verbs: ['create'], statusSubresource: false },
    ...{ singular: kind.toLowerCase(), shortNames: [], categories: [] },
  }))
  return [...registry.all(), ...reviews]
}

const STATUS_VERBS = ['get', 'patch', 'update']

/** Group, then version, the preferred version of a group first. */
function byGroup(registry: Registry): Map<string, Map<string, Discovered[]>> {
  const groups = new Map<string, Map<string, Discovered[]>>()
  for (const resource of discovered(registry)) {
    const versions = groups.get(resource.group) ?? new Map<string, Discovered[]>()
    groups.set(resource.group, versions)
    versions.set(resource.version, [...(versions.get(resource.version) ?? []), resource])
  }
  return new Map(
    [...groups].map(([name, versions]) => [name, new Map([...versions].sort(([a], [b]) => compareVersions(a, b)))]),
  )
}

/** As Kubernetes orders versions: v2, v1, v1beta2, v1beta1, v1alpha1. */
export function compareVersions(a: string, b: string): number {
  const rank = (version: string) => {
    const [, major = '0', stage, minor = '0'] = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version) ?? []
    return [stage === undefined ? 2 : stage === 'beta' ? 1 : 0, Number(major), Number(minor)]
  }
  const [left, right] = [rank(a), rank(b)]
  for (let index = 0; index < 3; index++) if (left[index] !== right[index]) return right[index]! - left[index]!
  return 0
}

/** APIGroupDiscoveryList of `/api` (the core group) or `/apis` (all others). */
export function aggregated(registry: Registry, root: 'api' | 'apis', version: string): Fields {
  const groups = [...byGroup(registry)].filter(([name]) => (name === '') === (root === 'api'))
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map(([name, versions]) => ({
      metadata: { name: name || undefined, creationTimestamp: null },
      versions: [...versions].map(([at, resources]) => ({
        version: at,
        resources: resources.map(aggregatedResource),
        freshness: 'Current',
      })),
    })),
  }
}

function aggregatedResource(resource: Discovered): Fields {
  const { group, version, kind, plural, singular, shortNames, categories, namespaced, verbs } = resource
  const responseKind = { group, version, kind }
  const status = { subresource: 'status', responseKind, verbs: STATUS_VERBS }
  return {
    ...{ resource: plural, responseKind, singularResource: singular, verbs, shortNames, categories },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    subresources: resource.statusSubresource ? [status] : undefined,
  }
}

/** The older answers: APIVersions, APIGroupList, APIGroup and APIResourceList; undefined where there is no such path. */
export function legacy(registry: Registry, path: string, address: string): Fields | undefined {
  const [root, group, version] = path.split('/').filter(Boolean)
  if (root === 'api') return group === undefined ? coreVersions(address) : resourceList(registry, '', group)
  const groups = [...byGroup(registry)].filter(([name]) => name !== '').map(apiGroup)
  if (group === undefined) return { kind: 'APIGroupList', apiVersion: 'v1', groups }
  if (version !== undefined) return resourceList(registry, group, version)
  const found = groups.find(({ name }) => name === group)
  return found && { kind: 'APIGroup', apiVersion: 'v1', ...found }
}

function coreVersions(serverAddress: string): Fields {
  const serverAddressByClientCIDRs = [{ clientCIDR: '0.0.0.0/0', serverAddress }]
  return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs }
}

function apiGroup([name, versions]: [string, Map<string, unknown>]): Fields {
  const list = [...versions.keys()].map(version => ({ groupVersion: `${name}/${version}`, version }))
  return { name, versions: list, preferredVersion: list[0] }
}

function resourceList(registry: Registry, group: string, version: string): Fields | undefined {
  const found = byGroup(registry).get(group)?.get(version)
  if (found === undefined) return undefined
  const resources = found.flatMap(({ kind, plural, singular, namespaced, verbs, shortNames, categories, ...more }) => {
    const row = { name: plural, singularName: singular, namespaced, kind, verbs, shortNames, categories }
    const status = { name: `${plural}/status`, singularName: '', namespaced, kind, verbs: STATUS_VERBS }
    return more.statusSubresource ? [row, status] : [row]
  })
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: group === '' ? version : `${group}/${version}`,
    resources,
  }
}

export function versionInfo(): Fields {
  return {
    ...{ major: '1', minor: '32', gitVersion: 'v1.32.0+metallb-testbed', gitCommit: '', gitTreeState: 'clean' },
    ...{ buildDate: '1970-01-01T00:00:00Z', goVersion: 'none', compiler: 'node', platform: 'linux/amd64' },
  }
}
