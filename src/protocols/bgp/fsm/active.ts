import { dialMs } from '../damping.ts'
import type { Settings } from '../negotiation.ts'
import { listenOrRest, sendOpen, unexpected } from './connect.ts'
import { arm } from './effect.ts'
import { stopSilently } from './ending.ts'
import type { Event } from './event.ts'
import { begin } from './idle.ts'
import type { Active } from './state.ts'
import type { Step } from './step.ts'

/** RFC 4271 section 8.2.2, Active: the peer may connect, or the timer makes us dial. */
export function active(state: Active, event: Event, settings: Settings): Step {
  switch (event.kind) {
    case 'connected': // 17
      return sendOpen(state, settings)
    case 'connect retry expired': {
      // 9
      const retry = arm('connect retry', dialMs(settings.connectRetryMs))
      return [{ at: 'connect', failures: state.failures }, [{ kind: 'dial' }, retry]]
    }
    case 'disconnected': // 18
      return listenOrRest(state, settings, { kind: 'transport', message: event.message })
    case 'reconfigured':
      return begin(0, settings)
    case 'liveness found':
      return begin(state.failures, settings)
    case 'stop': // 2, 8
      return stopSilently(state)
    case 'liveness lost': // says nothing about a connection that is not there
    case 'start': // "The start events (Events 1, 3-7) are ignored"
      return [state, []]
    default:
      return unexpected(state, event, settings)
  }
}
