/** What the main thread and the heartbeats in the layer 2 thread tell each other. */
import type { MessagePort } from 'node:worker_threads'
import type { Family } from '../../core/ip/index.ts'
import type { DirectEvidence } from '../../ports/index.ts'

/** Given to each life of the thread. */
export interface HeartbeatSetup {
  readonly port: MessagePort
  /** An eventfd that counts the messages not read yet. */
  readonly wakeFd: number
  /** One number, shared: the main thread counts it up every second as long as it runs. */
  readonly pulse: Int32Array
}

export type ToHeartbeats =
  | { readonly kind: 'open'; readonly options: OpenOptions }
  | { readonly kind: 'peers'; readonly addresses: readonly string[] }
  | { readonly kind: 'keys'; readonly secrets: readonly Uint8Array[] }
  | { readonly kind: 'publish'; readonly interfaces: readonly string[] | undefined }
  | { readonly kind: 'hold'; readonly held: boolean }
  | { readonly kind: 'activate' | 'greet' | 'leave' }

/** All that a life of the thread has to know to go on where another ended. */
export interface OpenOptions {
  readonly node: string
  readonly family: Family
  /** The bound socket: it belongs to the main thread, and outlives this one. */
  readonly fd: number
  /** Where the peers listen. */
  readonly port: number
  readonly secrets: readonly Uint8Array[]
  readonly addresses: readonly string[]
  readonly interfaces: readonly string[] | undefined
  readonly active: boolean
  readonly held: boolean
}

export type FromHeartbeats =
  | { readonly kind: 'evidence'; readonly evidence: ReadonlyMap<string, DirectEvidence> }
  | { readonly kind: 'refused'; readonly refused: readonly RefusedHeartbeats[] }
  | { readonly kind: 'left' }

export interface RefusedHeartbeats {
  readonly code: string
  readonly from: string
  readonly detail: string
  readonly times: number
}

/** Monotonic milliseconds that all threads of the process share: `performance.now` starts anew in each. */
export const sharedMs = (): number => Number(process.hrtime.bigint()) / 1e6
