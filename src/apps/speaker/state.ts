/** What a speaker does now, for `metallbctl show` and `explain`: an authorised GET of the metrics server. */
import type { Route } from '../../adapters/http/index.ts'
import type { SpeakerController, SpeakerView } from '../../control/announce/index.ts'
import type { BgpProtocol, NeighborState } from '../../control/bgp/index.ts'
import type { ConfigLoader, ConfigStanding } from '../../control/config/index.ts'
import type { ServiceView, SessionView } from '../../control/explain/index.ts'
import { parsePrefix } from '../../core/ip/index.ts'

export const STATE_PATH = '/debug/v1/state'

export interface SpeakerSessions {
  readonly node: string
  readonly bgp: { readonly neighbors: readonly NeighborState[] }
}

/** Without a query. */
interface SpeakerState extends SpeakerSessions {
  readonly speaker: SpeakerView
  readonly configuration: ConfigStanding
}

export interface StateSources {
  readonly node: string
  readonly announcing: Pick<SpeakerController, 'view' | 'verdict'>
  readonly config: Pick<ConfigLoader, 'standing'>
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
  return { verdict, sessions: peers.map(peer => sessionView(peer, prefixes, bgp)) }
}

/** Why the peer is told nothing of the prefixes, or not of all. Looks at no other routes: there may be thousands. */
function sessionView(peer: string, prefixes: readonly string[], bgp: BgpProtocol): SessionView {
  const session = bgp.sessions.get(peer)
  if (session === undefined) return { peer, state: 'idle', why: bgp.whyMissing(peer), notSent: [] }
  const { state } = session.status
  if (state !== 'established') return { peer, state, why: session.lostFor ?? session.closedFor, notSent: [] }
  const notSent = prefixes.flatMap(text => {
    const prefix = parsePrefix(text)!
    const why = session.takes(prefix) ? session.reasonNotSent(prefix) : 'its family is not meant for the peer'
    return why === undefined ? [] : [`${text}: ${why}`]
  })
  return { peer, state, notSent }
}
