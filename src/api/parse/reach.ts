/** What both kinds of advertisement say: which pools, from which nodes, for which services. Chapter 01 section 2.9. */
import type { LabelSelector } from '../../core/labels.ts'
import type { ObjectReport } from './objects.ts'
import { checkSelectors, checkUnique, selectedNames } from './selectors.ts'
import type { Labelled } from './snapshot.ts'

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
