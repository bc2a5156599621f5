import { dialMs, idleHoldMs, OPEN_HOLD_MS } from '../damping.ts'
import { offeredOpen, type Settings } from '../negotiation.ts'
import { arm, type CloseReason, send } from './effect.ts'
import { rest, stopSilently } from './ending.ts'
import type { Event } from './event.ts'
import { begin } from './idle.ts'
import type { Active, Connect, State } from './state.ts'
import type { Step } from './step.ts'

/** RFC 4271 section 8.2.2, Connect: we are dialling. */
export function connect(state: Connect, event: Event, settings: Settings): Step {
  switch (event.kind) {
    case 'connect retry expired': // 9
      return redial(state, settings)
    case 'reconfigured': // what is on its way has the old keys
      return dialAnew(0, settings)
    case 'liveness found': // the SYN that is on its way may wait for its next turn for long
      return dialAnew(state.failures, settings)
    default:
      return withoutConnection(state, event, settings)
  }
}

/** In Connect and Active alike. */
export function withoutConnection(state: Connect | Active, event: Event, settings: Settings): Step {
  switch (event.kind) {
    case 'connected': // 16, 17
      return sendOpen(state, settings)
    case 'disconnected': // 18; with DelayOpenTimer not running
      return listenOrRest(state, settings, { kind: 'transport', message: event.message })
    case 'stop': // 2, 8
      return stopSilently(state)
    case 'liveness lost': // says nothing about a connection that is not there
    case 'start': // "The start events (Events 1, 3-7) are ignored"
      return [state, []]
    default:
      return unexpected(state, event, settings)
  }
}

function dialAnew(failures: number, settings: Settings): Step {
  const [next, effects] = begin(failures, settings)
  return [next, [{ kind: 'drop' }, ...effects]]
}

/** OPEN goes out, and the HoldTimer gets a large value. */
function sendOpen({ failures }: State, settings: Settings): Step {
  const effects = [{ kind: 'cancel' } as const, send(offeredOpen(settings)), arm('hold', OPEN_HOLD_MS)]
  return [{ at: 'open sent', failures }, effects]
}

function redial({ failures }: Connect, settings: Settings): Step {
  const retry = arm('connect retry', dialMs(settings.connectRetryMs))
  const reason: CloseReason = { kind: 'transport', message: 'the peer did not answer in time' }
  const timedOut = { kind: 'closed', reason, established: false } as const
  return [{ at: 'connect', failures: failures + 1 }, [{ kind: 'drop' }, timedOut, { kind: 'dial' }, retry]]
}

/**
 * Where the peer may come to us, it may do so while the next attempt waits; else there is nothing to do in Active
 * (chapter 04 section 6.6).
 */
export function listenOrRest(state: State, settings: Settings, reason: CloseReason): Step {
  if (!settings.listens) return rest(state, settings, reason)
  const failures = state.failures + 1
  const retry = arm('connect retry', idleHoldMs(failures, settings.connectRetryMs))
  const closed = { kind: 'closed', reason, established: false } as const
  return [
    { at: 'active', failures },
    [{ kind: 'drop' }, { kind: 'cancel' }, closed, ...(settings.passive ? [] : [retry])],
  ]
}

/** Events 10, 11, 13, 19, 23 and 25 to 28 without a connection: "drops the TCP connection ... changes its state to Idle". */
function unexpected(state: State, event: Event, settings: Settings): Step {
  return rest(state, settings, { kind: 'transport', message: `unexpected ${event.kind} without a connection` })
}
