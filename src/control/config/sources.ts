/** The caches that configuration comes from, and which of their changes can matter: chapter 01 sections 2.1 and 3.5. */
import type {
  CommunityResource,
  ConfigSnapshot,
  IPAddressPoolResource,
  L2AdvertisementResource,
  NamespaceResource,
  NodeResource,
} from '../../api/index.ts'
import type { KubeObject } from '../../core/object.ts'
import type { Change, Informer } from '../../ports/index.ts'

/** The controller gives pools, communities and namespaces; the speaker gives everything. */
export interface ConfigSources {
  readonly pools: Informer<IPAddressPoolResource>
  readonly communities: Informer<CommunityResource>
  readonly namespaces: Informer<NamespaceResource>
  readonly l2Advertisements?: Informer<L2AdvertisementResource>
  readonly nodes?: Informer<NodeResource>
}

/** The two processes look at different fields of what they watch. */
export type Component = 'controller' | 'speaker'

type Matters = (before: KubeObject, after: KubeObject) => boolean

const always: Matters = () => true
const labels: Matters = (before, after) => textOf(before.metadata.labels) !== textOf(after.metadata.labels)
/** Not the status, which the controller writes for every address it hands out. */
const spec: Matters = (before, after) =>
  after.metadata.generation === undefined || before.metadata.generation !== after.metadata.generation
const specOrLabels: Matters = (before, after) => spec(before, after) || labels(before, after)

const UPDATES: Readonly<Record<Component, Readonly<Record<keyof ConfigSources, Matters>>>> = {
  controller: { pools: spec, communities: always, namespaces: labels, l2Advertisements: always, nodes: labels },
  speaker: {
    pools: specOrLabels,
    communities: always,
    namespaces: labels,
    l2Advertisements: specOrLabels,
    nodes: labels,
  },
}

export function sourcesOf(sources: ConfigSources): [keyof ConfigSources, Informer<KubeObject>][] {
  return Object.entries(sources).filter(([, source]) => source !== undefined) as [
    keyof ConfigSources,
    Informer<KubeObject>,
  ][]
}

/** Whether the change can make another configuration. */
export function changeMatters(component: Component, source: keyof ConfigSources, change: Change<KubeObject>): boolean {
  return change.kind !== 'updated' || UPDATES[component][source](change.before, change.object)
}

/** What the caches hold now: of namespaced kinds, the objects of the MetalLB namespace. */
export function snapshotOf(sources: ConfigSources, namespace: string): ConfigSnapshot {
  const lists = sourcesOf(sources).map(([source, informer]) => [
    source,
    informer.list().filter(({ metadata }) => metadata.namespace === undefined || metadata.namespace === namespace),
  ])
  return Object.fromEntries(lists)
}

function textOf(labels: Readonly<Record<string, string>> = {}): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
}
