/** What the main thread and the BFD thread tell each other. */
import type { BfdProfile } from '../../core/config/index.ts'
import type { LivenessChange, LivenessStatus, LivenessTarget, LogFields } from '../../ports/index.ts'
import type { Supervision } from './supervision.ts'

/** Given to the worker at its start. */
export interface BfdWorkerSetup extends Supervision {
  readonly realtime: boolean
}

/** Beside RUN and END: announce AdminDown on every session, then end. */
export const LEAVE = 2

export type ToBfdWorker =
  | { readonly kind: 'add'; readonly id: number; readonly target: LivenessTarget; readonly profile: BfdProfile }
  | { readonly kind: 'change'; readonly id: number; readonly profile: BfdProfile }
  | { readonly kind: 'remove'; readonly id: number }

export type FromBfdWorker =
  | { readonly kind: 'change'; readonly id: number; readonly change: LivenessChange }
  /** Once a second, and with a change. */
  | { readonly kind: 'status'; readonly id: number; readonly status: LivenessStatus }
  /** Since the last report. */
  | { readonly kind: 'late'; readonly times: number }
  | { readonly kind: 'discarded'; readonly reason: string; readonly times: number }
  | { readonly kind: 'log'; readonly level: 'info' | 'warn'; readonly fields: LogFields }
