/** BGPAdvertisements, with their selectors and aliases resolved, chapter 01 sections 2.8 and 2.9. */
import {
  type BgpAdvertisement,
  type Community,
  compareCommunities,
  formatCommunity,
  type Pool,
  parseCommunity,
} from '../../core/config/index.ts'
import { aggregationConflicts, localPreferencesConflict } from '../../core/config/rules/index.ts'
import type { Family } from '../../core/ip/index.ts'
import { type BGPAdvertisementResource, bgpAdvertisementCrd } from '../bgp-advertisement.ts'
import { parseAdvertisementOptions } from './bgp-options.ts'
import { type ObjectReport, type Reading, type Report, readObjects, reportOn, specSchema } from './objects.ts'
import { concerns } from './peers.ts'
import type { LabelledPool } from './pools.ts'
import { checkReach } from './reach.ts'
import { checkUnique, selectedNames } from './selectors.ts'
import type { Labelled } from './snapshot.ts'

type Spec = NonNullable<BGPAdvertisementResource['spec']>

const READING: Reading = {
  kind: 'BGPAdvertisement',
  noun: 'bgpadvertisement',
  fields: { spec: specSchema(bgpAdvertisementCrd) },
}

/** Those for this node, or all where no node is given. */
export function readBgpAdvertisements(
  objects: readonly BGPAdvertisementResource[],
  node: Labelled | undefined,
  report: Report,
): BGPAdvertisementResource[] {
  return readObjects(READING, objects, report).filter(({ spec }) => concerns(node, spec?.nodeSelectors))
}

export interface AdvertisementContext {
  readonly pools: readonly LabelledPool[]
  readonly nodes: readonly Labelled[]
  /** Absent: aliases are not known, and what may be one is not checked. */
  readonly aliases?: ReadonlyMap<string, Community | undefined>
}

export function parseBgpAdvertisements(
  resources: readonly BGPAdvertisementResource[],
  context: AdvertisementContext,
  report: Report,
): BgpAdvertisement[] {
  const advertisements = resources.map(resource =>
    parseAdvertisement(resource, context, reportOn(READING.kind, resource, report)),
  )
  const byName = new Map(context.pools.map(({ name, pool }) => [name, pool]))
  const attached: Attached = new Map()
  for (const [index, advertisement] of advertisements.entries()) {
    const on = reportOn(READING.kind, resources[index]!, report)
    const pools = [...advertisement.pools].map(name => byName.get(name)!)
    for (const pool of pools) checkAggregation(advertisement, pool, on)
    if (advertisement.serviceSelectors.length > 0) continue // compared for each service, when it is announced
    for (const earlier of preferringOtherwise(advertisement, attached))
      checkLocalPreference(advertisement, advertisements[earlier]!, pools, on)
    attach(advertisement, index, attached)
  }
  return advertisements
}

/** For each pool, by local preference, the indexes of the advertisements that apply to it. */
type Attached = Map<string, Map<number, number[]>>

/** Ascending indexes of the earlier advertisements that share a pool and want another local preference. */
function preferringOtherwise({ pools, localPref = 0 }: BgpAdvertisement, attached: Attached): number[] {
  const found = new Set<number>()
  for (const pool of pools)
    for (const [preference, indexes] of attached.get(pool) ?? [])
      if (preference !== localPref) for (const index of indexes) found.add(index)
  return [...found].sort((a, b) => a - b)
}

function attach({ pools, localPref = 0 }: BgpAdvertisement, index: number, attached: Attached): void {
  for (const pool of pools) {
    const preferences = attached.get(pool) ?? new Map<number, number[]>()
    attached.set(pool, preferences)
    const indexes = preferences.get(localPref)
    if (indexes === undefined) preferences.set(localPref, [index])
    else indexes.push(index)
  }
}

function parseAdvertisement(
  { metadata: { name, annotations }, spec = {} }: BGPAdvertisementResource,
  { pools, nodes, aliases }: AdvertisementContext,
  on: ObjectReport,
): BgpAdvertisement {
  const { communities = [], peers = [], serviceSelectors = [], localPref } = spec
  checkUnique(communities, 'spec.communities', 'community', on)
  checkUnique(peers, 'spec.peers', 'peers', on)
  const { nodeSelectors, poolNames } = checkReach(name, spec, pools, on)
  if (localPref !== undefined && localPref < 0)
    on.error({ path: 'spec.localPref', message: `invalid local preference ${localPref}: must not be negative` })
  return {
    name,
    nodes: selectedNames(nodeSelectors, nodes),
    pools: poolNames,
    peers: peers.length === 0 ? 'all' : new Set(peers.toSorted()),
    aggregationLength: lengthsOf(name, spec, on),
    ...(localPref === undefined ? {} : { localPref }),
    ...parseAdvertisementOptions(annotations, on),
    communities: communitiesOf(communities, aliases, on),
    serviceSelectors,
  }
}

const FULL = { ipv4: 32, ipv6: 128 } as const
const LENGTH_FIELDS = { ipv4: 'aggregationLength', ipv6: 'aggregationLengthV6' } as const
const FAMILY_NAMES = { ipv4: 'IPv4', ipv6: 'IPv6' } as const

function lengthsOf(name: string, spec: Spec, on: ObjectReport): BgpAdvertisement['aggregationLength'] {
  const lengthOf = (family: Family): number => {
    const field = LENGTH_FIELDS[family]
    const length = spec[field] ?? FULL[family]
    if (spec.serviceSelectors?.length && length !== FULL[family]) {
      const message = `serviceSelectors and ${field} are mutually exclusive, both cannot be set in ${name}`
      on.error({ path: `spec.${field}`, message })
    }
    if (length <= FULL[family]) return length
    on.error({ path: `spec.${field}`, message: `invalid aggregation length ${length} for ${FAMILY_NAMES[family]}` })
    return FULL[family]
  }
  return { ipv4: lengthOf('ipv4'), ipv6: lengthOf('ipv6') }
}

/** The whole text is an alias, or else a community; equal ones collapse. */
function communitiesOf(
  texts: readonly string[],
  aliases: AdvertisementContext['aliases'],
  on: ObjectReport,
): Community[] {
  const found = new Map<string, Community>()
  for (const [index, text] of texts.entries()) {
    const community = aliases?.has(text) ? aliases.get(text) : communityOf(text, index, aliases !== undefined, on)
    if (community !== undefined) found.set(formatCommunity(community), community)
  }
  return [...found.values()].sort(compareCommunities)
}

function communityOf(text: string, index: number, aliasesKnown: boolean, on: ObjectReport): Community | undefined {
  const parsed = parseCommunity(text)
  if ('community' in parsed) return parsed.community
  const { error, unknownFormat } = parsed
  if (unknownFormat && !aliasesKnown) return undefined // may be an alias
  on.error({
    path: `spec.communities[${index}]`,
    message: `invalid community "${text}" in BGP advertisement: ${error}`,
    hint: 'write A:B or large:A:B:C, or define the alias in a Community',
    ...(unknownFormat ? { transient: true } : {}),
  })
  return undefined
}

function checkAggregation({ aggregationLength }: BgpAdvertisement, pool: Pool, on: ObjectReport): void {
  for (const { family, entry, blockLength } of aggregationConflicts(pool, aggregationLength)) {
    const length = aggregationLength[family]
    const why = `prefix ${blockLength} in this pool is more specific than the aggregation length for addresses ${entry}`
    on.error({
      path: `spec.${LENGTH_FIELDS[family]}`,
      message: `invalid aggregation length ${length}: ${why}`,
      hint: `use ${blockLength} or more, or leave out pool ${pool.name}`,
    })
  }
}

function checkLocalPreference(
  advertisement: BgpAdvertisement,
  earlier: BgpAdvertisement,
  pools: readonly Pool[],
  on: ObjectReport,
): void {
  const [given, before] = [advertisement.localPref ?? 0, earlier.localPref ?? 0]
  const shared = pools.find(
    ({ name, ranges }) =>
      earlier.pools.has(name) &&
      localPreferencesConflict(advertisement, earlier, new Set(ranges.map(({ family }) => family))),
  )
  if (shared === undefined) return
  const why = `local preference ${before} was already set for the same type of BGP update`
  on.error({
    path: 'spec.localPref',
    message: `invalid local preference ${given}: ${why}. Check existing BGP advertisements with common pools and aggregation lengths`,
    hint: `BGPAdvertisement ${earlier.name} announces pool ${shared.name} too`,
  })
}
