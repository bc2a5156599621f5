/** What a speaker does now, for `metallbctl show`: an authorised GET of the metrics server. */
import type { Route } from '../../adapters/http/index.ts'
import type { BgpProtocol, NeighborState } from '../../control/bgp/index.ts'

export const STATE_PATH = '/debug/v1/state'

export interface SpeakerState {
  readonly node: string
  readonly bgp: { readonly neighbors: readonly NeighborState[] }
}

export function stateRoute(node: string, bgp: BgpProtocol): Route {
  return () => {
    const state: SpeakerState = { node, bgp: { neighbors: bgp.state() } }
    return { status: 200, body: `${JSON.stringify(state)}\n`, type: 'application/json' }
  }
}
