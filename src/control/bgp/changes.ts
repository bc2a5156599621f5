/** What of a changed BGPPeer its session can bear, and for what it has to start anew (issue 6, point 6). */
import type { Address } from '../../core/ip/index.ts'
import type { StreamTarget } from '../../ports/index.ts'
import { acceptsAsn, agreedHoldMs, type SessionStatus, type Settings } from '../../protocols/bgp/index.ts'

/** All that a session is made of. */
export interface SessionNeeds {
  readonly settings: Settings
  readonly target: StreamTarget
  readonly sourceAddress?: Address
}

type Running = Pick<SessionStatus, 'agreed' | 'local'>

interface Fixed {
  readonly name: string
  readonly of: (needs: SessionNeeds) => unknown
  /** True where a new session would agree on what the running one has agreed on. */
  readonly agreesAnyway?: (after: SessionNeeds, agreed: NonNullable<Running['agreed']>) => boolean
}

/** Where the connection goes, and what OPEN said. All else is applied to the session as it runs, or at its next attempt. */
const FIXED: readonly Fixed[] = [
  { name: 'address', of: ({ target }) => target.address },
  { name: 'port', of: ({ target }) => target.port },
  { name: 'interface', of: ({ target }) => target.scope },
  { name: 'VRF', of: ({ target }) => target.device },
  { name: 'local ASN', of: ({ settings }) => settings.localAsn },
  {
    name: 'peer ASN',
    of: ({ settings }) => settings.remoteAs,
    agreesAnyway: ({ settings }, { peerAsn }) => acceptsAsn(settings, peerAsn),
  },
  { name: 'router ID', of: ({ settings }) => settings.identifier },
  {
    name: 'hold time', // RFC 4271 section 4.2: both have to know the smaller one
    of: ({ settings }) => settings.holdMs,
    agreesAnyway: ({ settings }, agreed) => agreedHoldMs(settings.holdMs, agreed.peerHoldMs / 1000) === agreed.holdMs,
  },
  { name: 'families', of: ({ settings }) => settings.families },
  { name: 'extended next hop', of: ({ settings }) => settings.extendedNextHop },
  { name: 'graceful restart', of: ({ settings }) => settings.gracefulRestart?.seconds },
  { name: 'long-lived graceful restart', of: ({ settings }) => settings.longLivedStaleSeconds },
  { name: 'add-path', of: ({ settings }) => settings.addPath },
  { name: 'role', of: ({ settings }) => settings.role },
  { name: 'TCP-AO', of: ({ target }) => target.aoKeys !== undefined }, // begins with the first segment, RFC 5925 section 7.2
]

/** Why the session has to start anew, one name a field; empty where it need not. */
export function restartReasons(before: SessionNeeds, after: SessionNeeds, { agreed, local }: Running): string[] {
  const reasons = FIXED.filter(
    ({ of, agreesAnyway }) => !isSame(of(before), of(after)) && !(agreed && agreesAnyway?.(after, agreed)),
  ).map(({ name }) => name)
  const { sourceAddress } = after
  const moved = !isSame(before.sourceAddress, sourceAddress) && !(local && isSame(local.address, sourceAddress))
  return moved ? [...reasons, 'source address'] : reasons
}

/** Whether both would make the same session at the next attempt. */
export function isSame(a: unknown, b: unknown): boolean {
  return textOf(a) === textOf(b)
}

function textOf(value: unknown): string | undefined {
  return JSON.stringify(value, (_key, one) => (typeof one === 'bigint' ? `${one}n` : one))
}
