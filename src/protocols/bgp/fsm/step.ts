import type { Settings } from '../negotiation.ts'
import { active } from './active.ts'
import { connect } from './connect.ts'
import type { Effect } from './effect.ts'
import { established } from './established.ts'
import type { Event } from './event.ts'
import { idle } from './idle.ts'
import { openConfirm } from './open-confirm.ts'
import { openSent } from './open-sent.ts'
import type { State } from './state.ts'

export type Step = [next: State, effects: readonly Effect[]]

/** The state machine of one connection (RFC 4271 section 8): knows no clock, no socket and no other connection. */
export function step(state: State, event: Event, settings: Settings): Step {
  switch (state.at) {
    case 'idle':
      return idle(state, event, settings)
    case 'connect':
      return connect(state, event, settings)
    case 'active':
      return active(state, event, settings)
    case 'open sent':
      return openSent(state, event, settings)
    case 'open confirm':
      return openConfirm(state, event, settings)
    case 'established':
      return established(state, event, settings)
  }
}
