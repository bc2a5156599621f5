/** The state machine of RFC 5880 sections 6.2 and 6.8.6 as a function. */
import type { LivenessCause, LivenessState } from '../../ports/index.ts'
import { DETECTION_TIME_EXPIRED, ECHO_FAILED, NEIGHBOR_SIGNALED_DOWN, NO_DIAGNOSTIC } from './diagnostic.ts'

export type StateEvent = { readonly received: LivenessState } | 'detection time expired' | 'echo failed'

export interface Transition {
  readonly state: LivenessState
  /** Absent: stays as it is. */
  readonly diagnostic?: number
  readonly cause: LivenessCause
}

/** Undefined where nothing changes. */
export function step(local: LivenessState, event: StateEvent): Transition | undefined {
  if (event === 'detection time expired') return expired(local)
  if (event === 'echo failed')
    return local === 'up' ? { state: 'down', diagnostic: ECHO_FAILED, cause: 'echoFailed' } : undefined // section 6.4
  switch (local) {
    case 'adminDown': // section 6.8.6: the packet is discarded
      return undefined
    case 'down':
      if (event.received === 'down') return { state: 'init', cause: 'handshake' }
      return event.received === 'init' ? up() : undefined
    case 'init':
      if (event.received === 'adminDown') return signaledDown('neighborAdminDown')
      return event.received === 'down' ? undefined : up()
    case 'up':
      if (event.received === 'adminDown') return signaledDown('neighborAdminDown')
      return event.received === 'down' ? signaledDown('neighborDown') : undefined
  }
}

function expired(local: LivenessState): Transition | undefined {
  if (local !== 'init' && local !== 'up') return undefined // section 6.8.4
  return { state: 'down', diagnostic: DETECTION_TIME_EXPIRED, cause: 'detectionTimeExpired' }
}

function up(): Transition {
  return { state: 'up', diagnostic: NO_DIAGNOSTIC, cause: 'handshake' }
}

function signaledDown(cause: LivenessCause): Transition {
  return { state: 'down', diagnostic: NEIGHBOR_SIGNALED_DOWN, cause }
}
