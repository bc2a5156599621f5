/** What one Service brings into the election of its addresses: who could announce it (chapter 03 section 1.8). */
import type { L2Advertisement } from '../config/index.ts'
import { anySelectorMatches } from '../labels.ts'
import type { Reason } from '../reason.ts'
import { annotationOf, EXCLUDE_LABEL, type Node } from '../service.ts'
import type { Admitted } from './admission.ts'
import type { PlanOptions, World } from './world.ts'

export interface Standing extends Admitted {
  /** Advertisements of the pool that match the Service. */
  readonly ads: readonly L2Advertisement[]
  readonly hasEndpoints: boolean
  /** Nodes with a serving endpoint, where the traffic policy is Local. */
  readonly localNodes: ReadonlySet<string> | undefined
  /** The advertisement that forbids sharing an address. */
  readonly conflict: L2Advertisement | undefined
  readonly candidates: ReadonlySet<string>
  /** Nodes that would be candidates, had they an interface to announce on (IMP-25). */
  readonly unlinked: ReadonlySet<string>
}

/** `eligible` are the nodes that nothing speaks against for any Service. */
export function standingOf(admitted: Admitted, world: World, eligible: readonly string[]): Standing {
  const { service, pool } = admitted
  const ads = world.config.l2Advertisements.filter(
    ({ pools, serviceSelectors }) =>
      pools.has(pool.name) && (serviceSelectors.length === 0 || anySelectorMatches(serviceSelectors, service.labels)),
  )
  const serving = world.endpointsOf(service.key).filter(({ canServe }) => canServe)
  const local = service.localTrafficPolicy ? new Set(serving.map(({ nodeName }) => nodeName ?? '')) : undefined
  const shares = annotationOf(service, 'allow-shared-ip') !== undefined
  const conflict = shares ? ads.find(({ serviceSelectors }) => serviceSelectors.length > 0) : undefined
  const hopeless = serving.length === 0 || conflict !== undefined
  const candidates = hopeless
    ? []
    : eligible.filter(node => ads.some(ad => ad.nodes.has(node)) && (local === undefined || local.has(node)))
  const unlinked = new Set(withoutInterface(candidates, ads, world.interfaces))
  return {
    ...{ ...admitted, ads, localNodes: local, conflict, unlinked },
    hasEndpoints: serving.length > 0,
    candidates: unheld(
      candidates.filter(node => !unlinked.has(node)),
      world.held,
    ),
  }
}

/** Those that are not held down; all where no other is left. */
function unheld(candidates: readonly string[], held: World['held'] = new Set()): ReadonlySet<string> {
  const others = candidates.filter(node => !held.has(node))
  return new Set(others.length > 0 ? others : candidates)
}

/**
 * Candidates on which none of the selected interfaces can be used: no candidates any more, provided that every candidate
 * publishes its interfaces, so that speakers which do not know of this elect the same, and that somebody remains.
 */
function withoutInterface(
  candidates: readonly string[],
  ads: readonly L2Advertisement[],
  published: World['interfaces'] = new Map(),
): string[] {
  if (ads.every(({ interfaces }) => interfaces === 'all')) return []
  if (!candidates.every(node => published.has(node))) return []
  const without = candidates.filter(node => {
    const selected = selectedInterfaces(ads, node)
    return selected !== 'all' && ![...selected].some(name => published.get(node)!.has(name))
  })
  return without.length < candidates.length ? without : []
}

/** Why a node can be no candidate for any Service. */
export function nodeReasons(name: string, { members, nodes, options }: World): Reason[] {
  const reasons: Reason[] = []
  const node = nodes.get(name)
  const object = { kind: 'Node', name }
  if (members !== undefined && !members.has(name))
    reasons.push({ code: 'memberMissing', message: 'no live speaker on this node', object })
  if (members === undefined && node === undefined)
    reasons.push({ code: 'nodeMissing', message: 'no such node', object })
  if (node !== undefined) reasons.push(...objections(node, options))
  return reasons
}

/** What of the node itself forbids announcing, by any protocol. */
export function objections({ name, networkUnavailable, labels }: Node, options: PlanOptions): Reason[] {
  const reasons: Reason[] = []
  const object = { kind: 'Node', name }
  if (networkUnavailable)
    // E1
    reasons.push({
      code: 'nodeNetworkUnavailable',
      message: "speaker's node has NodeNetworkUnavailable condition",
      object,
      field: 'status.conditions',
    })
  if (!options.ignoreExcludeLb && Object.hasOwn(labels, EXCLUDE_LABEL))
    // E2
    reasons.push({
      code: 'nodeLabeledExcludeBalancers',
      message: `speaker's node has labeled '${EXCLUDE_LABEL}'`,
      object,
      field: 'metadata.labels',
    })
  return reasons
}

/** Nodes that may be candidates: with a live speaker, reachable and not excluded. */
export function eligibleNodes(world: World): string[] {
  return [...(world.members ?? world.nodes.keys())].filter(node => nodeReasons(node, world).length === 0)
}

/** Sum of the preferences of all the advertisements, by node. */
export function scoresOf(ads: readonly L2Advertisement[]): Map<string, number> {
  const scores = new Map<string, number>()
  for (const { preferredNodes } of ads)
    for (const [node, score] of preferredNodes) scores.set(node, (scores.get(node) ?? 0) + score)
  return scores
}

/** Chapter 03 section 1.11: all where any advertisement that selects the node says so, else every name they list. */
export function selectedInterfaces(ads: readonly L2Advertisement[], node: string): ReadonlySet<string> | 'all' {
  const names = new Set<string>()
  for (const { nodes, interfaces } of ads) {
    if (!nodes.has(node)) continue
    if (interfaces === 'all') return 'all'
    for (const name of interfaces) names.add(name)
  }
  return names
}
