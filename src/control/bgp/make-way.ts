/** Before a planned stop: traffic should use other nodes while this one still forwards (RFC 8326 section 4.2). */
import { leastPreferred } from '../../core/plan/index.ts'
import type { Clock } from '../../ports/index.ts'
import type { PeerSession } from './peer-session.ts'

type Leaving = Pick<PeerSession, 'peer' | 'status' | 'wantedRoutes' | 'announce'>

/** Resolves when routers have had the time; at once where there is nobody to tell. Who keeps our routes over a restart is not. */
export async function makeWay(sessions: Iterable<Leaving>, clock: Clock, graceMs: number): Promise<void> {
  const told = [...sessions].filter(
    ({ peer, status }) => status.state === 'established' && !peer.gracefulRestart && status.told > 0,
  )
  if (told.length === 0) return
  for (const session of told)
    session.announce(
      [...session.wantedRoutes()].map(route => ({ ...route, attributes: leastPreferred(route.attributes) })),
    )
  await new Promise<void>(done => void clock.after(graceMs, done))
}
