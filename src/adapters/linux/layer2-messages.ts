/** What the main thread and the responder's thread tell each other. */
import type { AddressClaim, LogFields, NetworkInterface } from '../../ports/index.ts'
import type { Claim, Ignored } from '../../protocols/ethernet/index.ts'
import type { Exclusions } from './exclusions.ts'
import type { Supervision } from './supervision.ts'

/** Given to the worker at its start. */
export interface WorkerSetup extends Supervision {
  /** COUNTERS numbers for each slot, in shared memory: written by the worker, read by the main thread. */
  readonly counts: Uint32Array
  readonly exclusions: Exclusions
  readonly verbose: boolean
  readonly refreshMs: number
  readonly realtime: boolean
  /** For what runs in the thread beside the responder. */
  readonly companion?: unknown
}

export type ToWorker =
  /** With an id on the last part of an update, which is then confirmed. */
  | { readonly kind: 'change'; readonly change: TableChange; readonly id?: number }
  | { readonly kind: 'reannounce'; readonly key: Key }
  | { readonly kind: 'leave' }

export type FromWorker =
  | { readonly kind: 'interfaces'; readonly interfaces: readonly NetworkInterface[] }
  | { readonly kind: 'applied'; readonly id: number }
  | { readonly kind: 'log'; readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly fields: LogFields }
  | { readonly kind: 'claim'; readonly claim: AddressClaim }
  | { readonly kind: 'ignored'; readonly ignored: readonly Ignored[] }
  /** Addresses are handed over from now on; then, that each was. */
  | { readonly kind: 'leaving' | 'left' }

/** An IPv4 address as a signed 32-bit number, an IPv6 address as a bigint: the two never meet. */
export type Key = number | bigint

/** Part of a change of the table, in few objects: copying it between threads costs microseconds. */
export interface TableChange {
  /** Addresses that are new or answered on other interfaces than before. */
  readonly set: readonly Key[]
  /** For each of them its slot, and its place in `sets`. */
  readonly slots: readonly number[]
  readonly setOf: readonly number[]
  readonly sets: readonly Claim['interfaces'][]
  /** For each of them its place in `afters`. */
  readonly afterOf: readonly number[]
  readonly afters: readonly (readonly string[])[]
  /** Addresses no longer announced. */
  readonly removed: readonly Key[]
  /** Addresses of the nodes that the claims of the whole table are after. */
  readonly predecessors: readonly (readonly [node: string, addresses: readonly Key[]])[]
}

export function claimsOf({ set, slots, setOf, sets, afterOf, afters }: TableChange): [key: Key, claim: Claim][] {
  return set.map((key, place) => [
    key,
    { interfaces: sets[setOf[place]!]!, slot: slots[place]!, after: afters[afterOf[place]!]! },
  ])
}

export const isIPv4 = (key: Key): key is number => typeof key === 'number'
export const isIPv6 = (key: Key): key is bigint => typeof key === 'bigint'
