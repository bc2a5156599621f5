/** What a speaker does now, for `metallbctl show` and `explain`: an authorised GET of the metrics server. */
import type { Route } from '../../adapters/http/index.ts'
import type { SpeakerController, SpeakerView } from '../../control/announce/index.ts'
import type { BgpProtocol, NeighborState } from '../../control/bgp/index.ts'
import type { ConfigLoader, ConfigStanding } from '../../control/config/index.ts'
import type { ServiceView, SessionView } from '../../control/explain/index.ts'

export const STATE_PATH = '/debug/v1/state'

export interface SpeakerSessions {
  readonly node: string
  readonly bgp: { readonly neighbors: readonly NeighborState[] }
}

/** Without a query. */
export interface SpeakerState extends SpeakerSessions {
  readonly speaker: SpeakerView
  readonly configuration: ConfigStanding
}

export interface StateSources {
  readonly node: string
  readonly announcing: SpeakerController
  readonly config: ConfigLoader
  readonly bgp: BgpProtocol
}

/** `?service=NAMESPACE/NAME`: what the node decides for that Service, instead of everything about its sessions. */
export function stateRoute(sources: StateSources): Route {
  const { node, announcing, config, bgp } = sources
  return url => {
    const service = url.searchParams.get('service')
    const common = { node, speaker: announcing.view(), configuration: config.standing() }
    const state: SpeakerState | ServiceView =
      service === null
        ? { ...common, bgp: { neighbors: bgp.state() } }
        : { ...common, ...serviceView(service, sources) }
    return { status: 200, body: `${JSON.stringify(state)}\n`, type: 'application/json' }
  }
}

function serviceView(key: string, { announcing, bgp }: StateSources): Pick<ServiceView, 'verdict' | 'sessions'> {
  const verdict = announcing.verdict(key)
  if (verdict === undefined) return { sessions: [] }
  const { peers, prefixes } = verdict.bgp
  const sessions = bgp.state().filter(({ name }) => peers.includes(name))
  return { verdict, sessions: sessions.map(session => sessionView(session, prefixes)) }
}

/** Why the peer is told nothing of the prefixes, or not of all. */
function sessionView(session: NeighborState, prefixes: readonly string[]): SessionView {
  const { name, state, missing, lastClose, routes } = session
  const why = missing ?? lastClose?.reason
  const unsent = routes.filter(({ prefix, notSent }) => notSent !== undefined && prefixes.includes(prefix))
  return {
    peer: name,
    state,
    ...(state !== 'established' && why !== undefined && { why }),
    notSent: unsent.map(({ prefix, notSent = '' }) => `${prefix}: ${notSent}`),
  }
}
