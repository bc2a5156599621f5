/** IPAddressPools to pools, chapter 01 sections 2.5 and 2.6. */
import type { Pool, ServiceAllocation } from '../../core/config/index.ts'
import { findOverlaps, type PoolEntry } from '../../core/config/rules/index.ts'
import { parseAddress, parseAddressEntry } from '../../core/ip/index.ts'
import { anySelectorMatches } from '../../core/labels.ts'
import { type IPAddressPoolResource, ipAddressPoolCrd } from '../ip-address-pool.ts'
import { type ObjectReport, type Reading, type Report, readObjects, reportOn, specSchema } from './objects.ts'
import { parsePoolOptions } from './pool-options.ts'
import { checkSelectors } from './selectors.ts'
import type { Labelled } from './snapshot.ts'

const READING: Reading = {
  kind: 'IPAddressPool',
  noun: 'pool',
  fields: { spec: specSchema(ipAddressPoolCrd) },
}

/** A pool with the labels by which advertisements choose it. */
export interface LabelledPool extends Labelled {
  readonly pool: Pool
  readonly claims: readonly PoolEntry[]
}

export function parsePools(
  objects: readonly IPAddressPoolResource[],
  namespaces: readonly Labelled[],
  report: Report,
): LabelledPool[] {
  const resources = readObjects(READING, objects, report)
  const pools = resources.map(resource => parsePool(resource, namespaces, reportOn(READING.kind, resource, report)))
  reportOverlaps(pools, report)
  return pools
}

function parsePool(resource: IPAddressPoolResource, namespaces: readonly Labelled[], on: ObjectReport): LabelledPool {
  const { name, namespace = '', labels = {}, annotations = {} } = resource.metadata
  const { addresses = [], autoAssign = true, avoidBuggyIPs = false, serviceAllocation } = resource.spec ?? {}
  const context = `parsing address pool ${name}: `
  if (name === '') on.error({ path: 'metadata.name', message: `${context}missing pool name` })
  if (addresses.length === 0)
    on.error({
      path: 'spec.addresses',
      message: `${context}pool has no prefixes defined`,
      hint: 'add a CIDR or a range',
    })
  const claims = parseEntries(name, addresses, on)
  const allocation = serviceAllocation && parseAllocation(serviceAllocation, name, namespaces, on)
  const pool: Pool = {
    name,
    namespace,
    ranges: claims.map(({ range }) => range),
    entries: claims.map(({ text }) => text),
    autoAssign,
    avoidBuggyIPs,
    ...(allocation ? { allocation } : {}),
    ...parsePoolOptions(
      annotations,
      claims.map(({ range }) => range),
      on,
    ),
  }
  return { name, labels, pool, claims }
}

function parseEntries(pool: string, addresses: readonly string[], on: ObjectReport): PoolEntry[] {
  const entries: PoolEntry[] = []
  for (const [index, text] of addresses.entries()) {
    const parsed = parseAddressEntry(text)
    if ('range' in parsed) {
      entries.push({ pool, index, text, range: parsed.range })
      continue
    }
    const message = `parsing address pool ${pool}: invalid CIDR "${text}" in pool "${pool}": ${parsed.error}`
    on.error({ path: `spec.addresses[${index}]`, message, hint: entryHint(text) })
  }
  return entries
}

function entryHint(text: string): string {
  const bare = parseAddress(text)
  if (bare !== undefined) return `write "${text}/${bare.family === 'ipv4' ? 32 : 128}" for a single address`
  return 'write a CIDR such as 192.0.2.0/24 or a range such as 192.0.2.10-192.0.2.20'
}

type Allocation = NonNullable<IPAddressPoolResource['spec']['serviceAllocation']>

function parseAllocation(
  spec: Allocation,
  pool: string,
  namespaces: readonly Labelled[],
  on: ObjectReport,
): ServiceAllocation {
  const { priority = 0, namespaces: named = [], namespaceSelectors = [], serviceSelectors = [] } = spec
  const path = 'spec.serviceAllocation'
  const context = `parsing address pool ${pool}: `
  if (new Set(named).size < named.length)
    on.error({ path: `${path}.namespaces`, message: `${context}duplicate definition in namespaces field` })
  const after = ` in ip pool ${pool}`
  const usable = checkSelectors(
    {
      path: `${path}.namespaceSelectors`,
      selectors: namespaceSelectors,
      invalid: ['invalid namespace label selector', after],
      context,
    },
    on,
  )
  checkSelectors(
    {
      path: `${path}.serviceSelectors`,
      selectors: serviceSelectors,
      invalid: ['invalid service label selector', after],
      context,
    },
    on,
  )
  // Restricted even where no namespace matches at present (REF-BUG 7).
  if (named.length + namespaceSelectors.length === 0) return { priority, serviceSelectors }
  const selected = namespaces.filter(({ labels }) => anySelectorMatches(usable, labels)).map(({ name }) => name)
  return { priority, namespaces: new Set([...named, ...selected].sort()), serviceSelectors }
}

function reportOverlaps(pools: readonly LabelledPool[], report: Report): void {
  const byName = new Map(pools.map(({ name, pool }) => [name, pool]))
  for (const { entry, earlier, block, earlierBlock } of findOverlaps(pools.flatMap(({ claims }) => claims)))
    reportOn(READING.kind, { metadata: byName.get(entry.pool)! }, report).error({
      path: `spec.addresses[${entry.index}]`,
      message: `CIDR "${block}" in pool "${entry.pool}" overlaps with already defined CIDR "${earlierBlock}"`,
      hint: `"${earlier.text}" of pool ${earlier.pool} has these addresses already`,
    })
}
