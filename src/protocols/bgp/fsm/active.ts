import { dialMs } from '../damping.ts'
import type { Settings } from '../negotiation.ts'
import { withoutConnection } from './connect.ts'
import { arm } from './effect.ts'
import type { Event } from './event.ts'
import { begin } from './idle.ts'
import type { Active } from './state.ts'
import type { Step } from './step.ts'

/** RFC 4271 section 8.2.2, Active: the peer may connect, or the timer makes us dial. */
export function active(state: Active, event: Event, settings: Settings): Step {
  switch (event.kind) {
    case 'connect retry expired': {
      // 9
      const retry = arm('connect retry', dialMs(settings.connectRetryMs))
      return [{ at: 'connect', failures: state.failures }, [{ kind: 'dial' }, retry]]
    }
    case 'reconfigured':
      return begin(0, settings)
    case 'liveness found':
      return begin(state.failures, settings)
    default:
      return withoutConnection(state, event, settings)
  }
}
