import { dialMs } from '../damping.ts'
import type { Settings } from '../negotiation.ts'
import { arm } from './effect.ts'
import type { Event } from './event.ts'
import { type Idle, STOPPED } from './state.ts'
import type { Step } from './step.ts'

/** RFC 4271 section 8.2.2, Idle: no connection is made or accepted. */
export function idle(state: Idle, event: Event, settings: Settings): Step {
  switch (event.kind) {
    case 'start': // 1, 3 to 7; a person who starts it again need not wait
      return begin(0, settings)
    case 'idle hold expired': // 13
    case 'liveness found':
      return state.resting ? begin(state.failures, settings) : [state, []]
    case 'reconfigured': // what was wrong may be right now
      return state.resting ? begin(0, settings) : [state, []]
    case 'stop': // 2, 8
      return [STOPPED, [{ kind: 'cancel' }]]
    case 'connected': // refused
      return [state, [{ kind: 'drop' }]]
    default: // "any other event ... does not cause change in the state"
      return [state, []]
  }
}

/** Events 4 and 5 make it passive. The timers of Idle do not run any more. */
export function begin(failures: number, settings: Settings): Step {
  if (settings.passive) return [{ at: 'active', failures }, [{ kind: 'cancel' }]]
  const retry = arm('connect retry', dialMs(settings.connectRetryMs))
  return [{ at: 'connect', failures }, [{ kind: 'cancel' }, { kind: 'dial' }, retry]]
}
