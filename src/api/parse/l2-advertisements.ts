/** L2Advertisements, with their selectors resolved to names, chapter 01 section 2.9. */
import type { L2Advertisement } from '../../core/config/index.ts'
import { type LabelSelector, selectorMatches } from '../../core/labels.ts'
import { type L2AdvertisementResource, l2AdvertisementCrd, type PreferredNodeSelector } from '../l2-advertisement.ts'
import { type ObjectReport, type Reading, type Report, readObjects, reportOn, specSchema } from './objects.ts'
import { checkSelector, checkSelectors, checkUnique, selectedNames } from './selectors.ts'
import type { Labelled } from './snapshot.ts'

const READING: Reading<L2AdvertisementResource> = {
  kind: 'L2Advertisement',
  noun: 'l2advertisement',
  fields: { spec: specSchema(l2AdvertisementCrd) },
}

export function parseL2Advertisements(
  objects: readonly L2AdvertisementResource[],
  pools: readonly Labelled[],
  nodes: readonly Labelled[],
  report: Report,
): L2Advertisement[] {
  return readObjects(READING, objects, report).map(resource =>
    parseL2Advertisement(resource, pools, nodes, reportOn(READING.kind, resource, report)),
  )
}

function parseL2Advertisement(
  { metadata: { name }, spec = {} }: L2AdvertisementResource,
  pools: readonly Labelled[],
  nodes: readonly Labelled[],
  on: ObjectReport,
): L2Advertisement {
  const { interfaces = [], serviceSelectors = [] } = spec
  const { nodeSelectors, poolNames } = checkReach(name, spec, pools, on)
  const eligible = selectedNames(nodeSelectors, nodes)
  const preferences = spec.preferredNodeSelectors ?? []
  const invalid = [`failed to parse preferred node selectors for ${name}: invalid preferred node selector`] as const
  for (const [index, { preference }] of preferences.entries())
    checkSelector({ invalid }, preference, `spec.preferredNodeSelectors[${index}].preference`, on)
  const candidates = nodes.filter(node => eligible.has(node.name))
  return {
    name,
    nodes: eligible,
    pools: poolNames,
    interfaces: interfaces.length === 0 ? 'all' : new Set(interfaces.toSorted()),
    serviceSelectors,
    preferredNodes: scores(preferences, candidates),
  }
}

/** The fields that say which pools are announced from which nodes for which services, the same in both kinds of advertisement. */
export interface Reach {
  ipAddressPools?: string[]
  ipAddressPoolSelectors?: LabelSelector[]
  nodeSelectors?: LabelSelector[]
  serviceSelectors?: LabelSelector[]
}

/** Reports what is wrong in these fields; names of pools that do not exist are ignored. */
export function checkReach(name: string, spec: Reach, pools: readonly Labelled[], on: ObjectReport) {
  const { ipAddressPools = [], ipAddressPoolSelectors = [], nodeSelectors = [], serviceSelectors = [] } = spec
  checkUnique(ipAddressPools, 'spec.ipAddressPools', 'ipAddressPools', on)
  const field = (path: string, selectors: LabelSelector[], invalid: string) =>
    checkSelectors({ path: `spec.${path}`, selectors, invalid: [invalid] }, on)
  const poolSelectors = field('ipAddressPoolSelectors', ipAddressPoolSelectors, 'invalid label selector')
  field('nodeSelectors', nodeSelectors, `failed to parse node selector for ${name}: invalid label selector`)
  field('serviceSelectors', serviceSelectors, `failed to parse service selector for ${name}: invalid service selector`)
  return { nodeSelectors, poolNames: reachedPools(ipAddressPools, poolSelectors, spec, pools) }
}

/** Pools by name and by label; every pool where the advertisement gives neither. */
function reachedPools(
  names: readonly string[],
  usable: readonly LabelSelector[],
  { ipAddressPoolSelectors = [] }: Reach,
  pools: readonly Labelled[],
): Set<string> {
  if (names.length + ipAddressPoolSelectors.length === 0) return selectedNames(undefined, pools)
  const selected = usable.length === 0 ? new Set<string>() : selectedNames(usable, pools)
  return new Set(pools.map(pool => pool.name).filter(name => names.includes(name) || selected.has(name)))
}

/** Weights of one advertisement add up; a node without any is left out. */
function scores(preferences: readonly PreferredNodeSelector[], nodes: readonly Labelled[]): Map<string, number> {
  const scored = nodes.map(({ name, labels }): [string, number] => {
    const matching = preferences.filter(({ preference }) => selectorMatches(preference, labels))
    return [name, matching.reduce((sum, { weight }) => sum + weight, 0)]
  })
  return new Map(scored.filter(([, score]) => score > 0))
}
