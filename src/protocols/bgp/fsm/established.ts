import { BgpError } from '../errors.ts'
import type { Settings } from '../negotiation.ts'
import { commonEnding, refuse, rest } from './ending.ts'
import type { Event } from './event.ts'
import { readjust, restartHold, sendKeepalive } from './open-confirm.ts'
import type { Established } from './state.ts'
import type { Step } from './step.ts'

/** RFC 4271 section 8.2.2, Established: routes are exchanged. */
export function established(state: Established, event: Event, settings: Settings): Step {
  switch (event.kind) {
    case 'keepalive':
    case 'update': // 26, 27
      return [state, restartHold(state.agreed)]
    case 'keepalive expired': // 11
      return [state, sendKeepalive(state.agreed)]
    case 'route refresh': // RFC 2918 section 4
      return [state, [{ kind: 'refresh', refresh: event.refresh }]]
    case 'stable expired':
      return [{ ...state, failures: 0 }, []]
    case 'reconfigured':
      return readjust(state, settings)
    case 'disconnected': // 18
      return rest(state, settings, { kind: 'transport', message: event.message })
    case 'open': // 19, RFC 6608 section 3
      return refuse(state, settings, new BgpError('UNEXPECTED_MESSAGE_IN_ESTABLISHED', 'a second OPEN'))
    default: // a start is ignored, and so are timers that do not run here
      return commonEnding(state, event, settings) ?? [state, []]
  }
}
