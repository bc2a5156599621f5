import type { Family } from '../ip/index.ts'
import { addCounts } from './capacity.ts'
import type { PoolState } from './table.ts'

/** Counters of one pool; an address shared by several Services counts once. */
export interface PoolUsage {
  readonly capacity: Readonly<Record<Family, bigint>>
  /** Sum of both families, at most 2^63-1 (D11). */
  readonly total: bigint
  readonly assigned: Readonly<Record<Family, bigint>>
  readonly available: Readonly<Record<Family, bigint>>
  readonly services: number
}

export function usageOf({ spaces, services }: PoolState): PoolUsage {
  const { ipv4, ipv6 } = spaces
  const assigned = { ipv4: BigInt(ipv4.uses.size), ipv6: BigInt(ipv6.uses.size) }
  return {
    capacity: { ipv4: ipv4.capacity, ipv6: ipv6.capacity },
    total: addCounts(ipv4.capacity, ipv6.capacity),
    assigned,
    available: { ipv4: ipv4.capacity - assigned.ipv4, ipv6: ipv6.capacity - assigned.ipv6 },
    services,
  }
}
