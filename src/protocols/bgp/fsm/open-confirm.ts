import { keepaliveMs, STABLE_MS } from '../damping.ts'
import { BgpError } from '../errors.ts'
import type { Agreed, Settings } from '../negotiation.ts'
import { arm, type Effect, send } from './effect.ts'
import { commonEnding, refuse, rest } from './ending.ts'
import type { Event } from './event.ts'
import type { Established, OpenConfirm } from './state.ts'
import type { Step } from './step.ts'

/** RFC 4271 section 8.2.2, OpenConfirm: both have sent OPEN, and the peer's KEEPALIVE is awaited. */
export function openConfirm(state: OpenConfirm, event: Event, settings: Settings): Step {
  const { agreed } = state
  switch (event.kind) {
    case 'keepalive': // 26
      return [
        { ...state, at: 'established' },
        [...restartHold(agreed), arm('stable', STABLE_MS), { kind: 'established', agreed }],
      ]
    case 'keepalive expired': // 11
      return [state, sendKeepalive(agreed)]
    case 'reconfigured':
      return readjust(state, settings)
    case 'disconnected': // 18
      return rest(state, settings, { kind: 'transport', message: event.message })
    case 'open': // a second one; that of another connection is the matter of collision
    case 'update':
    case 'route refresh': // 27: RFC 6608 section 3
      return refuse(
        state,
        settings,
        new BgpError('UNEXPECTED_MESSAGE_IN_OPEN_CONFIRM', `${event.kind} before KEEPALIVE`),
      )
    default: // a start is ignored, and so are timers that do not run here
      return commonEnding(state, event, settings) ?? [state, []]
  }
}

/** "restarts its HoldTimer, if the negotiated HoldTime value is non-zero" */
export function restartHold({ holdMs }: Agreed): Effect[] {
  return holdMs === 0 ? [] : [arm('hold', holdMs)]
}

/** A keepalive time that has changed counts from now. */
export function readjust(state: OpenConfirm | Established, settings: Settings): Step {
  const ms = keepaliveMs(state.agreed.holdMs, settings.keepaliveMs)
  if (ms === state.agreed.keepaliveMs) return [state, []]
  return [{ ...state, agreed: { ...state.agreed, keepaliveMs: ms } }, [arm('keepalive', ms)]]
}

export function sendKeepalive({ keepaliveMs }: Agreed): Effect[] {
  return [send({ kind: 'keepalive' }), arm('keepalive', keepaliveMs)]
}
