/** What `metallbctl show bgp …` can show of speakers: as text for people, as JSON for tools. */
import type { NeighborState } from '../../control/bgp/index.ts'
import { parseAddress, sameAddress } from '../../core/ip/index.ts'
import type { SpeakerSessions } from '../speaker/state.ts'
import { bfdText } from './show-bfd.ts'
import { neighborText, routesText, summaryText } from './show-bgp.ts'
import { runningText } from './show-running.ts'

export interface View {
  readonly name: string
  readonly text: (state: SpeakerSessions) => string
  /** What JSON has of a neighbor; undefined: not even that there is one. */
  readonly part: (neighbor: NeighborState) => object | undefined
}

/** `neighbors` alone is about one of them, where it is named. */
const VIEWS: readonly View[] = [
  { name: 'summary', text: summaryText, part: ({ config: _config, routes: _routes, bfd: _bfd, ...rest }) => rest },
  { name: 'neighbors', text: neighborsText, part: neighbor => neighbor },
  { name: 'ipv4', text: state => routesText(state, 'ipv4'), part: neighbor => routesPart(neighbor, 'ipv4') },
  { name: 'ipv6', text: state => routesText(state, 'ipv6'), part: neighbor => routesPart(neighbor, 'ipv6') },
  { name: 'running-config', text: runningText, part: one => ({ ...who(one), config: one.config, routes: one.routes }) },
  { name: 'bfd', text: bfdText, part: one => one.bfd && { ...who(one), bfd: one.bfd } },
]

/** By its name or the beginning of it, as routers take commands. Answers the complaint where that is none or several. */
export function viewNamed(word: string): View | string {
  const [found, ...others] = VIEWS.filter(({ name }) => name.startsWith(word))
  if (found === undefined) return `bgp ${word}: unknown`
  return others.length === 0 ? found : `bgp ${word}: ${[found, ...others].map(({ name }) => name).join(' or ')}?`
}

/** The states with that neighbor alone, by address or BGPPeer; all where none is named. */
export function ofNeighbor(states: readonly SpeakerSessions[], wanted: string | undefined): SpeakerSessions[] {
  if (wanted === undefined) return [...states]
  const parsed = parseAddress(wanted)
  const isWanted = ({ address, name }: NeighborState) => {
    const its = parseAddress(address)
    return name === wanted || address === wanted || (parsed && its && sameAddress(parsed, its))
  }
  return states
    .map(state => ({ ...state, bgp: { neighbors: state.bgp.neighbors.filter(isWanted) } }))
    .filter(({ bgp }) => bgp.neighbors.length > 0)
}

/** Which ones there are, for those who named another. */
export function knownNeighbors(states: readonly SpeakerSessions[]): string {
  const known = new Set(states.flatMap(({ bgp }) => bgp.neighbors.map(({ address, name }) => `${address} (${name})`)))
  return [...known].sort().join(', ') || 'none'
}

export function viewText(view: View, states: readonly SpeakerSessions[]): string {
  return states.map(view.text).join('\n')
}

export function viewJson(view: View, states: readonly SpeakerSessions[]): string {
  const parts = states.map(({ node, bgp }) => ({
    node,
    bgp: { neighbors: bgp.neighbors.flatMap(one => view.part(one) ?? []) },
  }))
  return `${JSON.stringify(parts, null, 2)}\n`
}

function neighborsText({ node, bgp }: SpeakerSessions): string {
  return bgp.neighbors.map(one => neighborText(one, node)).join('\n') || `Node ${node}: no BGP peers\n`
}

function routesPart(neighbor: NeighborState, family: 'ipv4' | 'ipv6'): object {
  const routes = neighbor.routes.filter(({ prefix }) => prefix.includes(':') === (family === 'ipv6'))
  return { ...who(neighbor), routes }
}

function who({ name, address, port, vrf }: NeighborState) {
  return { name, address, port, ...(vrf && { vrf }) }
}
