import type { Agreed } from '../negotiation.ts'

/** RFC 4271 section 8.2.2. Each state has only what exists in it; `failures` in a row is the ConnectRetryCounter. */
export type State = Idle | Connect | Active | OpenSent | OpenConfirm | Established

/** `resting`: the IdleHoldTimer runs and a new attempt follows; else the session is stopped. */
export interface Idle {
  readonly at: 'idle'
  readonly failures: number
  readonly resting: boolean
}

/** We are dialling. */
export interface Connect {
  readonly at: 'connect'
  readonly failures: number
}

/** There is no connection: the peer's is awaited, or the ConnectRetryTimer. */
export interface Active {
  readonly at: 'active'
  readonly failures: number
}

export interface OpenSent {
  readonly at: 'open sent'
  readonly failures: number
}

export interface OpenConfirm {
  readonly at: 'open confirm'
  readonly failures: number
  readonly agreed: Agreed
}

export interface Established {
  readonly at: 'established'
  readonly failures: number
  readonly agreed: Agreed
}

export const STOPPED: Idle = { at: 'idle', failures: 0, resting: false }
