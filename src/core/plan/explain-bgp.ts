import { formatPrefix } from '../ip/index.ts'
import { anySelectorMatches } from '../labels.ts'
import type { Reason } from '../reason.ts'
import type { Service } from '../service.ts'
import type { Admission } from './admission.ts'
import { decideBgp } from './bgp.ts'
import { admissionOf } from './explain.ts'
import type { World } from './world.ts'

export interface BgpNodeExplanation {
  readonly node: string
  readonly announces: boolean
  /** Never empty; the first code is the word that logs use. */
  readonly reasons: readonly Reason[]
  readonly warnings: readonly Reason[]
  /** Prefixes, where it announces, each once. */
  readonly prefixes: readonly string[]
  /** Names of the BGPPeers that are told, ascending. */
  readonly peers: readonly string[]
}

export interface BgpExplanation {
  readonly service: string
  /** Whether there are peers or advertisements at all. */
  readonly configured: boolean
  /** Why no node looks at the Service; empty where its addresses can be announced. */
  readonly refused: readonly Reason[]
  /** In name order: every Node object and every node an advertisement names. */
  readonly nodes: readonly BgpNodeExplanation[]
}

/** For each node, or for those named, why it announces the Service by BGP or not, and to whom: the decision of the speakers. */
export function explainBgp(service: Service, world: World, names = bgpNodeNames(world)): BgpExplanation {
  const { peers = [], advertisements = [] } = world.config.bgp ?? {}
  const configured = peers.length > 0 || advertisements.length > 0
  const admission = admissionOf(service, world)
  const nodes = configured ? names.map(node => explainNode(admission, node, world)) : []
  return { service: service.key, configured, refused: 'pool' in admission ? [] : admission.reasons, nodes }
}

function bgpNodeNames({ nodes, config }: World): string[] {
  const advertised = (config.bgp?.advertisements ?? []).flatMap(({ nodes }) => [...nodes])
  return [...new Set([...nodes.keys(), ...advertised])].sort()
}

function explainNode(admission: Admission, node: string, world: World): BgpNodeExplanation {
  if (!('pool' in admission))
    return { node, announces: false, reasons: admission.reasons, warnings: [], prefixes: [], peers: [] }
  const seen = asSeenBy(node, world)
  const { announces, reasons, warnings, routes } = decideBgp(admission, node, seen)
  const peers = (seen.config.bgp?.peers ?? []).map(({ name }) => name)
  return {
    node,
    announces,
    reasons: reasons(),
    warnings,
    prefixes: [...new Set(routes.map(({ prefix }) => formatPrefix(prefix)))],
    peers: peers.filter(name => routes.some(route => route.peers === 'all' || route.peers.has(name))).sort(),
  }
}

/** A speaker knows only the peers of its own node. */
export function asSeenBy(node: string, world: World): World {
  const { bgp } = world.config
  if (bgp === undefined) return world
  const labels = world.nodes.get(node)?.labels ?? {}
  const peers = bgp.peers.filter(
    ({ nodeSelectors }) => nodeSelectors.length === 0 || anySelectorMatches(nodeSelectors, labels),
  )
  return { ...world, config: { ...world.config, bgp: { ...bgp, peers } } }
}
