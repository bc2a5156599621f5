/** The ways from any state back to Idle. */
import { idleHoldMs } from '../damping.ts'
import { BgpError } from '../errors.ts'
import type { Message, Notification } from '../message/index.ts'
import type { Settings } from '../negotiation.ts'
import { cease } from '../notification.ts'
import { arm, type CloseReason, type Effect, send } from './effect.ts'
import type { Event } from './event.ts'
import { STOPPED, type State } from './state.ts'
import type { Step } from './step.ts'

/**
 * The attempt has failed: the connection is dropped and the next one waits, the longer the more have failed
 * (RFC 4271 section 8.1.3, DampPeerOscillations).
 */
export function rest(state: State, settings: Settings, reason: CloseReason, ...last: Message[]): Step {
  return restAfter(state.failures + 1, state, settings, reason, last)
}

function restAfter(failures: number, state: State, settings: Settings, reason: CloseReason, last: Message[]): Step {
  const pause = arm('idle hold', idleHoldMs(failures, settings.connectRetryMs))
  return [{ at: 'idle', failures, resting: true }, [...close(state, reason, last), pause]]
}

/** As `rest`, and the peer is told what was wrong (RFC 4271 section 6). */
export function refuse(state: State, settings: Settings, error: BgpError): Step {
  return rest(state, settings, { kind: 'error', error }, { kind: 'notification', ...error.answer })
}

function close(state: State, reason: CloseReason, last: readonly Message[]): Effect[] {
  const established = state.at === 'established'
  return [...last.map(send), { kind: 'drop' }, { kind: 'cancel' }, { kind: 'closed', reason, established }]
}

/** No attempt follows until the next start (RFC 4271 section 8.2.2, events 2 and 8). */
function stop(state: State, notification: Notification | undefined): Step {
  return [STOPPED, close(state, { kind: 'stopped' }, notification === undefined ? [] : [notification])]
}

/** Events 2 and 8 where there is no connection that could be told. */
export function stopSilently(state: State): Step {
  return stop(state, undefined)
}

/** What ends the session in every state with a connection; undefined for all other events. */
export function commonEnding(state: State, event: Event, settings: Settings): Step | undefined {
  switch (event.kind) {
    case 'stop':
      return stop(state, event.notification)
    case 'liveness lost': // RFC 9384 section 2; no failure of the session: BFD says when the next attempt makes sense
      return restAfter(state.failures, state, settings, event, event.why === undefined ? [cease('BFD down')] : [])
    case 'collision lost': // RFC 4271 section 6.8
      return rest(state, settings, { kind: 'collision lost' }, cease('collision resolution'))
    case 'hold expired': // RFC 4271 section 6.5
      return refuse(state, settings, new BgpError('HOLD_TIMER_EXPIRED', 'nothing heard within the hold time'))
    case 'send hold expired': // RFC 9687 section 4
      return refuse(state, settings, new BgpError('SEND_HOLD_TIMER_EXPIRED', 'the peer has stopped reading'))
    case 'malformed': // RFC 4271 sections 6.1 to 6.3
      return refuse(state, settings, event.error)
    case 'notification': // RFC 4271 section 6.4: never answered
      return rest(state, settings, { kind: 'notification received', notification: event.notification })
    default:
      return undefined
  }
}
