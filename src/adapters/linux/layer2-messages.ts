/** What the main thread and the responder's thread tell each other. */
import { type Address, formatAddress, type Mac } from '../../core/ip/index.ts'
import type { AnnouncedAddress, LogFields, NetworkInterface } from '../../ports/index.ts'
import { type ArpTable, type Claim, COUNTERS } from '../../protocols/arp/index.ts'
import type { Exclusions } from './exclusions.ts'

/** Given to the worker at its start. */
export interface WorkerSetup {
  /** An eventfd: written to after every message, because the worker sleeps in `poll`. */
  readonly wakeFd: number
  /** One number, shared; anything but 0 ends the worker. */
  readonly stop: Int32Array
  readonly exclusions: Exclusions
  readonly verbose: boolean
  readonly refreshMs: number
  readonly realtime: boolean
}

export type ToWorker =
  | { readonly kind: 'table'; readonly id: number; readonly table: PackedTable }
  | { readonly kind: 'reannounce' }

export type FromWorker =
  | { readonly kind: 'interfaces'; readonly interfaces: readonly NetworkInterface[] }
  | { readonly kind: 'applied'; readonly id: number }
  | { readonly kind: 'log'; readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly fields: LogFields }
  | { readonly kind: 'conflict'; readonly ip: string; readonly mac: Mac; readonly interface: string; count: number }

/** The table in few objects: copying it between threads and reading it costs microseconds, whatever its size. */
export interface PackedTable {
  /** As signed 32-bit numbers. The slot of an address is its place. */
  readonly ipv4: Int32Array
  /** For each address its place in `sets`. */
  readonly setOf: Uint32Array
  readonly sets: readonly (ReadonlySet<string> | 'all')[]
  /** COUNTERS numbers for each address, in shared memory: written by the worker, read by the main thread. */
  readonly counts: Uint32Array
}

export interface Packed {
  readonly table: PackedTable
  /** Text of the addresses, by slot. */
  readonly texts: readonly string[]
  /** What of the counts the metrics hold already. */
  readonly reported: Uint32Array
}

/** An address named twice is answered on the interfaces of both. */
export function packTable(addresses: readonly AnnouncedAddress[]): Packed {
  const rows = mergeRows(addresses.filter(({ address }) => address.family === 'ipv4'))
  const places = new Map<string, number>()
  const sets: (ReadonlySet<string> | 'all')[] = []
  const place = (set: ReadonlySet<string> | 'all') => {
    const key = set === 'all' ? '' : JSON.stringify([...set].sort())
    if (!places.has(key)) places.set(key, sets.push(set) - 1)
    return places.get(key)!
  }
  const table = {
    ipv4: Int32Array.from(rows, ({ address }) => Number(address.value) | 0),
    setOf: Uint32Array.from(rows, ({ interfaces }) => place(interfaces)),
    sets,
    counts: new Uint32Array(new SharedArrayBuffer(4 * COUNTERS * rows.length)),
  }
  const texts = rows.map(({ address }) => formatAddress(address))
  return { table, texts, reported: new Uint32Array(table.counts.length) }
}

function mergeRows(addresses: readonly AnnouncedAddress[]): AnnouncedAddress[] {
  const rows = new Map<Address['value'], AnnouncedAddress>()
  for (const row of addresses) {
    const other = rows.get(row.address.value)
    rows.set(row.address.value, other === undefined ? row : { ...row, interfaces: union(row, other) })
  }
  return [...rows.values()]
}

function union(a: AnnouncedAddress, b: AnnouncedAddress): ReadonlySet<string> | 'all' {
  return a.interfaces === 'all' || b.interfaces === 'all' ? 'all' : new Set([...a.interfaces, ...b.interfaces])
}

export function unpackTable({ ipv4, setOf, sets, counts }: PackedTable): ArpTable {
  const claims = new Map<number, Claim>()
  for (const [slot, ip] of ipv4.entries()) claims.set(ip, { interfaces: sets[setOf[slot]!]!, slot })
  return { claims, counts }
}
