/** The caches that configuration comes from, and which of their changes can matter: chapter 01 sections 2.1 and 3.5. */
import {
  type BFDProfileResource,
  BGP_EXTRAS,
  type BGPAdvertisementResource,
  type BGPPeerResource,
  type CommunityResource,
  type ConfigMapResource,
  type ConfigSnapshot,
  type IPAddressPoolResource,
  type L2AdvertisementResource,
  type NamespaceResource,
  type NodeResource,
  type SecretResource,
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
  readonly peers?: Informer<BGPPeerResource>
  readonly bgpAdvertisements?: Informer<BGPAdvertisementResource>
  readonly bfdProfiles?: Informer<BFDProfileResource>
  readonly secrets?: Informer<SecretResource>
  readonly configMaps?: Informer<ConfigMapResource>
}

type Matters = (before: KubeObject, after: KubeObject) => boolean

const always: Matters = () => true
const labels: Matters = (before, after) => textOf(before.metadata.labels) !== textOf(after.metadata.labels)
/** Not the status, which the controller writes for every address it hands out. */
const spec: Matters = (before, after) =>
  after.metadata.generation === undefined || before.metadata.generation !== after.metadata.generation
/** Options of ours are annotations (docs/guide/pools.md, bgp.md), which leave the generation as it is. */
const options: Matters = (before, after) => optionsOf(before) !== optionsOf(after)
const specOrLabels: Matters = (before, after) => spec(before, after) || labels(before, after)

const extras: Matters = (_, { metadata }) => metadata.name === BGP_EXTRAS

const UPDATES: Readonly<Record<keyof ConfigSources, Matters>> = {
  pools: (before, after) => specOrLabels(before, after) || options(before, after),
  communities: always,
  namespaces: labels,
  l2Advertisements: specOrLabels,
  nodes: labels,
  peers: (before, after) => specOrLabels(before, after) || options(before, after),
  bgpAdvertisements: (before, after) => specOrLabels(before, after) || options(before, after),
  bfdProfiles: specOrLabels,
  secrets: always,
  configMaps: extras,
}

export function sourcesOf(sources: ConfigSources): [keyof ConfigSources, Informer<KubeObject>][] {
  return Object.entries(sources).filter(([, source]) => source !== undefined) as [
    keyof ConfigSources,
    Informer<KubeObject>,
  ][]
}

/** Whether the change can make another configuration. Labels of pools matter where advertisements choose by them. */
export function changeMatters(
  sources: ConfigSources,
  source: keyof ConfigSources,
  change: Change<KubeObject>,
): boolean {
  if (change.kind !== 'updated') return true
  const { before, object } = change
  if (source === 'pools' && sources.l2Advertisements === undefined)
    return spec(before, object) || options(before, object)
  return UPDATES[source](before, object)
}

/** What the caches hold now: of namespaced kinds, the objects of the MetalLB namespace. */
export function snapshotOf(sources: ConfigSources, namespace: string): ConfigSnapshot {
  const lists = sourcesOf(sources).map(([source, informer]) => [
    source,
    informer.list().filter(({ metadata }) => metadata.namespace === undefined || metadata.namespace === namespace),
  ])
  return Object.fromEntries(lists)
}

function optionsOf({ metadata: { annotations = {} } }: KubeObject): string {
  return textOf(Object.fromEntries(Object.entries(annotations).filter(([name]) => name.startsWith('metallb.io/'))))
}

function textOf(labels: Readonly<Record<string, string>> = {}): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
}
