/**
 * What of a BGPPeer is otherwise on some nodes: an annotation of ours, a JSON list whose first entry that selects the
 * node counts. The reference cannot read it, and sees the peer as its spec has it.
 */
import type { Finding } from '../../core/config/index.ts'
import { anySelectorMatches, type LabelSelector } from '../../core/labels.ts'
import { type BGPPeerResource, bgpPeerCrd } from '../bgp-peer.ts'
import { list, record, selectors } from '../schema.ts'
import type { ObjectReport } from './objects.ts'
import { checkSelectors } from './selectors.ts'
import { readShape } from './shape.ts'
import type { Labelled } from './snapshot.ts'

export const NODE_OVERRIDES = 'metallb.io/node-overrides'

const PATH = `metadata.annotations[${NODE_OVERRIDES}]`

type Spec = NonNullable<BGPPeerResource['spec']>

type Overridable = Pick<Spec, 'myASN' | 'localASN' | 'peerASN' | 'sourceAddress' | 'routerID'>

interface Override extends Partial<Overridable> {
  readonly nodeSelectors: LabelSelector[]
}

const FIELDS = ['myASN', 'localASN', 'peerASN', 'sourceAddress', 'routerID'] as const

/** The spec for one node, or, where no node is given, one for each entry so that all are checked; the first is to be used. */
export interface SpecVariant {
  readonly spec: Spec
  readonly report: ObjectReport
}

export function specVariants(
  { metadata: { name, annotations = {} }, spec = { myASN: 0 } }: BGPPeerResource,
  node: Labelled | undefined,
  on: ObjectReport,
): readonly [SpecVariant, ...SpecVariant[]] {
  const told = new Set<string>()
  const written: SpecVariant = { spec, report: remembering(on, told) }
  const text = annotations[NODE_OVERRIDES]
  const overrides = text === undefined ? [] : readOverrides(name, text, on)
  const variants = overrides.map((override, index) => ({
    spec: overridden(spec, override),
    report: under(`${PATH}[${index}]`, on, told),
  }))
  if (node === undefined) return [written, ...variants]
  const chosen = overrides.findIndex(({ nodeSelectors }) => anySelectorMatches(nodeSelectors, node.labels))
  return [variants[chosen] ?? written]
}

function overridden(spec: Spec, { nodeSelectors: _, ...fields }: Override): Spec {
  const { dynamicASN: _dynamic, ...others } = spec
  return { ...(fields.peerASN === undefined ? spec : others), ...fields }
}

function remembering(on: ObjectReport, told: Set<string>): ObjectReport {
  const keep = (finding: Finding) => {
    told.add(finding.message)
    return finding
  }
  return { error: finding => on.error(keep(finding)), warning: finding => on.warning(keep(finding)) }
}

/** What is wrong with the spec as written is not said again for each entry. */
function under(path: string, on: ObjectReport, told: ReadonlySet<string>): ObjectReport {
  const moved = ({ path: at, ...finding }: Finding): Finding => {
    const field = at.replace(/^spec\./, '')
    return { ...finding, path: Object.hasOwn(ENTRY, field) ? `${path}.${field}` : path }
  }
  return {
    error: finding => void (told.has(finding.message) || on.error(moved(finding))),
    warning: finding => void (told.has(finding.message) || on.warning(moved(finding))),
  }
}

function readOverrides(name: string, text: string, on: ObjectReport): Override[] {
  const problem = (message: string, path = '') => on.error({ path: `${PATH}${path}`, message })
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    problem(`is not JSON: ${(error as Error).message}`)
    return []
  }
  const findings: { path: string; message: string }[] = []
  const overrides = readShape(OVERRIDES, value, '', findings) as Override[]
  for (const { path, message } of findings) problem(message, path)
  if (findings.length > 0) return []
  for (const [index, override] of overrides.entries()) {
    const path = `[${index}]`
    const unknown = Object.keys((value as object[])[index]!).filter(field => !Object.hasOwn(ENTRY, field))
    if (unknown.length > 0) problem(`unknown field ${unknown.join(', ')}: ${FIELDS.join(', ')} can differ`, path)
    if (override.nodeSelectors.length === 0) problem('nodeSelectors must select nodes', path)
    const invalid = [`failed to convert peer ${name} node selector`] as const
    checkSelectors(
      { path: `${PATH}${path}.nodeSelectors`, selectors: override.nodeSelectors, invalid, context: '' },
      on,
    )
  }
  return overrides
}

const storedSpec = bgpPeerCrd.spec.versions.find(({ storage }) => storage)!.schema.openAPIV3Schema.properties!.spec!

const ENTRY = {
  nodeSelectors: selectors('Nodes for which the entry counts; any may match.'),
  ...Object.fromEntries(FIELDS.map(field => [field, storedSpec.properties![field]!])),
}

const OVERRIDES = list(record(ENTRY, 'What differs.', { required: ['nodeSelectors'] }), 'Entries, the first counts.')
