/** What the main thread and the responder's thread tell each other. */
import type { Mac } from '../../core/ip/index.ts'
import type { LogFields, NetworkInterface } from '../../ports/index.ts'
import type { Claim } from '../../protocols/arp/index.ts'
import type { Exclusions } from './exclusions.ts'

/** Given to the worker at its start. */
export interface WorkerSetup {
  /** An eventfd that counts the messages not read yet: the worker sleeps in `poll`. */
  readonly wakeFd: number
  /** One number, shared; anything but 0 ends the worker. */
  readonly stop: Int32Array
  /** COUNTERS numbers for each slot, in shared memory: written by the worker, read by the main thread. */
  readonly counts: Uint32Array
  readonly exclusions: Exclusions
  readonly verbose: boolean
  readonly refreshMs: number
  readonly realtime: boolean
}

export type ToWorker =
  /** With an id on the last part of an update, which is then confirmed. */
  { readonly kind: 'change'; readonly change: TableChange; readonly id?: number } | { readonly kind: 'reannounce' }

export type FromWorker =
  | { readonly kind: 'interfaces'; readonly interfaces: readonly NetworkInterface[] }
  | { readonly kind: 'applied'; readonly id: number }
  | { readonly kind: 'log'; readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly fields: LogFields }
  | { readonly kind: 'conflict'; readonly ip: string; readonly mac: Mac; readonly interface: string; count: number }

/** Part of a change of the table, in few objects: copying it between threads costs microseconds. */
export interface TableChange {
  /** Addresses that are new or answered on other interfaces than before, as signed 32-bit numbers. */
  readonly set: Int32Array
  /** For each of them its slot, and its place in `sets`. */
  readonly slots: Uint32Array
  readonly setOf: Uint32Array
  readonly sets: readonly Claim['interfaces'][]
  /** Addresses no longer announced. */
  readonly removed: Int32Array
}

export function* claimsOf({ set, slots, setOf, sets }: TableChange): Generator<[ip: number, claim: Claim]> {
  for (let place = 0; place < set.length; place++)
    yield [set[place]!, { interfaces: sets[setOf[place]!]!, slot: slots[place]! }]
}
