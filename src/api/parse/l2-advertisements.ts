/** L2Advertisements, with their selectors resolved to names, chapter 01 section 2.9. */
import type { L2Advertisement } from '../../core/config/index.ts'
import { selectorMatches } from '../../core/labels.ts'
import { type L2AdvertisementResource, l2AdvertisementCrd, type PreferredNodeSelector } from '../l2-advertisement.ts'
import { type ObjectReport, type Reading, type Report, readObjects, reportOn, specSchema } from './objects.ts'
import { checkReach } from './reach.ts'
import { checkSelector, selectedNames } from './selectors.ts'
import type { Labelled } from './snapshot.ts'

const READING: Reading = {
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

/** Weights of one advertisement add up; a node without any is left out. */
function scores(preferences: readonly PreferredNodeSelector[], nodes: readonly Labelled[]): Map<string, number> {
  const scored = nodes.map(({ name, labels }): [string, number] => {
    const matching = preferences.filter(({ preference }) => selectorMatches(preference, labels))
    return [name, matching.reduce((sum, { weight }) => sum + weight, 0)]
  })
  return new Map(scored.filter(([, score]) => score > 0))
}
