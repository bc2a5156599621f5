/** Whether a neighbor is alive, by BFD (RFC 5880); it runs apart from the control plane. BGP and layer 2 may ask. */
import type { BfdProfile } from '../core/config/index.ts'
import type { Address } from '../core/ip/index.ts'

export interface LivenessTarget {
  readonly peer: Address
  /** Source address; absent: the system chooses. */
  readonly local?: Address
  /** Device that all packets must use (SO_BINDTODEVICE): the link, needed for link-local peers, or a VRF. */
  readonly interface?: string
  /** RFC 5883 instead of RFC 5881. */
  readonly multihop: boolean
}

export type LivenessState = 'adminDown' | 'down' | 'init' | 'up'

export type LivenessCause =
  | 'handshake'
  /** Diagnostic 1: no packet within the detection time. */
  | 'detectionTimeExpired'
  /** Diagnostic 2: echo packets did not come back. */
  | 'echoFailed'
  /** Diagnostic 3: the neighbor says that the session is down. */
  | 'neighborDown'
  /** The neighbor was told to stop: no reason to distrust the path (RFC 5882 sections 3.2 and 4.2). */
  | 'neighborAdminDown'
  /** Diagnostic 7: stopped on this side. */
  | 'adminDown'
  /** The thread that runs the session had to be started again: says nothing about the neighbor. */
  | 'restarted'

export interface LivenessChange {
  readonly state: LivenessState
  readonly before: LivenessState
  readonly cause: LivenessCause
  /** RFC 5880 section 4.1; `describeDiagnostic` of protocols/bfd puts it in words. */
  readonly diagnostic: number
  readonly remoteDiagnostic: number
}

/** What a session looks like, for status and `show bfd`. All times in milliseconds. */
export interface LivenessStatus extends LivenessTarget {
  readonly profile: BfdProfile
  readonly state: LivenessState
  readonly remoteState: LivenessState
  readonly diagnostic: number
  readonly remoteDiagnostic: number
  readonly discriminator: number
  /** 0 where it is not known. */
  readonly remoteDiscriminator: number
  readonly transmitIntervalMs: number
  readonly detectionTimeMs: number
  readonly echoIntervalMs: number | 'off'
  readonly controlInput: number
  readonly controlOutput: number
  readonly echoInput: number
  readonly echoOutput: number
  readonly upEvents: number
  readonly downEvents: number
}

export interface LivenessWatch {
  readonly state: LivenessState
  /** Applied in place by a poll sequence (RFC 5880 section 6.5): the session does not flap. */
  change(profile: BfdProfile): void
  /** The session of the last watch is announced AdminDown for one detection time, then forgotten. */
  close(): void
}

export interface Liveness {
  /**
   * Starts a session, or joins the one to the same target; then the latest profile counts. No event comes before this
   * has returned; what cannot be opened yet is tried again.
   */
  watch(target: LivenessTarget, profile: BfdProfile, listener: (change: LivenessChange) => void): LivenessWatch
  /** As of at most a second ago. */
  sessions(): readonly LivenessStatus[]
}
