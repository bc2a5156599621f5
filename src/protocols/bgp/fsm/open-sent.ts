import { BgpError } from '../errors.ts'
import type { Open } from '../message/index.ts'
import { type Agreed, agree, type Settings } from '../negotiation.ts'
import { listenOrRest } from './connect.ts'
import { arm, type Effect, send } from './effect.ts'
import { commonEnding, refuse } from './ending.ts'
import type { Event } from './event.ts'
import type { OpenSent } from './state.ts'
import type { Step } from './step.ts'

/** RFC 4271 section 8.2.2, OpenSent: the peer's OPEN is awaited. */
export function openSent(state: OpenSent, event: Event, settings: Settings): Step {
  switch (event.kind) {
    case 'open': // 19, 22
      return answerOpen(state, event.open, settings)
    case 'disconnected': // 18: "restarts the ConnectRetryTimer, continues to listen ... changes its state to Active"
      return listenOrRest(state, settings, { kind: 'transport', message: event.message })
    case 'keepalive':
    case 'update':
    case 'route refresh': // 26, 27: RFC 6608 section 3
      return refuse(state, settings, new BgpError('UNEXPECTED_MESSAGE_IN_OPEN_SENT', `${event.kind} before OPEN`))
    default: // a start is ignored, and so are timers that do not run here
      return commonEnding(state, event, settings) ?? [state, []]
  }
}

function answerOpen(state: OpenSent, open: Open, settings: Settings): Step {
  try {
    const agreed = agree(settings, open)
    const effects: Effect[] = [{ kind: 'cancel' }, { kind: 'agreed', agreed }, send({ kind: 'keepalive' })]
    return [{ ...state, at: 'open confirm', agreed }, [...effects, ...timersOf(agreed)]]
  } catch (error) {
    if (!(error instanceof BgpError)) throw error
    return refuse(state, settings, error)
  }
}

/** RFC 4271 section 4.2: a hold time of zero starts neither. */
function timersOf({ holdMs, keepaliveMs }: Agreed): Effect[] {
  return holdMs === 0 ? [] : [arm('hold', holdMs), arm('keepalive', keepaliveMs)]
}
