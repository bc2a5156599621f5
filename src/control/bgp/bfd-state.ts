/** How the BFD session of a peer is, as a JSON value: for `metallbctl show bgp bfd`. */
import type { BfdProfile } from '../../core/config/index.ts'
import { formatAddress } from '../../core/ip/index.ts'
import type { LivenessState, LivenessStatus, LivenessTarget } from '../../ports/index.ts'

/** What the BGP session knows of it. */
export interface WatchedPeer {
  readonly profile: BfdProfile
  /** `down` before the BGP session was established for the first time, which starts it. */
  readonly state: LivenessState
  /** Absent before that. */
  readonly target?: LivenessTarget
}

type Told = Pick<
  LivenessStatus,
  | 'multihop'
  | 'remoteState'
  | 'diagnostic'
  | 'remoteDiagnostic'
  | 'discriminator'
  | 'remoteDiscriminator'
  | 'transmitIntervalMs'
  | 'detectionTimeMs'
  | 'echoIntervalMs'
  | 'controlInput'
  | 'controlOutput'
  | 'echoInput'
  | 'echoOutput'
  | 'upEvents'
  | 'downEvents'
>

export interface BfdState {
  readonly profile: BfdProfile
  readonly state: LivenessState
  /** Absent before the session has begun. Times in milliseconds, diagnostics as in RFC 5880 section 4.1. */
  readonly session?: Told
}

export function bfdState(watched: WatchedPeer | undefined, sessions: readonly LivenessStatus[]): BfdState | undefined {
  if (watched === undefined) return undefined
  const { profile, state, target } = watched
  const status = target && sessions.find(one => isFor(one, target))
  return { profile, state, ...(status && { session: toldOf(status) }) }
}

function isFor(session: LivenessTarget, target: LivenessTarget): boolean {
  const text = ({ peer, local, interface: device, multihop }: LivenessTarget) =>
    `${formatAddress(peer)} ${local && formatAddress(local)} ${device} ${multihop}`
  return text(session) === text(target)
}

function toldOf(status: LivenessStatus): Told {
  const { peer: _peer, local: _local, interface: _device, profile: _profile, state: _state, ...told } = status
  return told
}
