import { type Address, formatAddress } from '../ip/index.ts'
import type { Reason } from '../reason.ts'
import type { Service } from '../service.ts'
import { admissionRefusal } from './admission.ts'
import type { Allocator } from './allocator.ts'
import { poolReason, Refusal } from './refusal.ts'
import { requestedAddresses, requestedPool, wantOf } from './request.ts'
import { selectAddresses } from './select-addresses.ts'

export interface AllocationExplained {
  /** What the Service holds; empty where it holds nothing. */
  readonly addresses: readonly Address[]
  readonly pool?: string
  /** Other Services on the same addresses. */
  readonly sharedWith: readonly string[]
  /** What it would be given now, where it holds nothing. */
  readonly next: readonly Address[]
  /** One sentence: why it has what it has, or the error its event shows. */
  readonly summary: string
  /** One for each pool that was considered, in the order they are tried. */
  readonly reasons: readonly Reason[]
}

/** Why a Service has its address or has none. Changes nothing; the allocator must have learned the other Services. */
export function explainAllocation(allocator: Allocator, service: Service): AllocationExplained {
  const held = allocator.allocationOf(service.key)
  const nothing = { addresses: [], sharedWith: [], next: [] }
  if (held !== undefined) {
    const sharedWith = [...new Set(held.addresses.flatMap(address => allocator.holdersOf(address)))]
    return {
      addresses: held.addresses,
      pool: held.pool,
      sharedWith: sharedWith.filter(key => key !== service.key),
      next: [],
      summary: `holds ${held.addresses.map(formatAddress).join(', ')} from pool ${held.pool}, ${why(service)}`,
      reasons: poolReasons(allocator, service, held.pool),
    }
  }
  if (service.type !== 'LoadBalancer')
    return { ...nothing, summary: `is of type ${service.type}, not LoadBalancer`, reasons: [] }
  if (!allocator.hasPools) return { ...nothing, summary: 'there are no address pools', reasons: [] }
  const want = wantOf(service)
  const chosen = want instanceof Refusal ? want : selectAddresses(allocator, service, want)
  if (chosen instanceof Refusal) return { ...nothing, summary: chosen.message, reasons: chosen.reasons }
  const summary = `nothing is in the way: next is ${chosen.map(formatAddress).join(', ')}`
  const pool = allocator.check(service, chosen)
  const taken = pool instanceof Refusal ? undefined : pool.name
  return { ...nothing, next: chosen, summary, reasons: poolReasons(allocator, service, taken) }
}

function why(service: Service): string {
  const requested = requestedAddresses(service)
  if (!(requested instanceof Refusal) && requested.length > 0) return 'as requested'
  return requestedPool(service) === undefined ? 'chosen automatically' : 'the pool requested'
}

/** The pools up to the one that served. */
function poolReasons(allocator: Allocator, service: Service, taken: string | undefined): Reason[] {
  const want = wantOf(service)
  return allocator.pools.map(pool => {
    if (pool.name === taken) return poolReason(pool, 'poolChosen', 'serves this service')
    const excluded = admissionRefusal(pool, service)
    if (excluded !== undefined) return excluded
    if (!pool.autoAssign)
      return poolReason(pool, 'autoAssignOff', 'not used for automatic assignment', 'spec.autoAssign')
    const free = want instanceof Refusal ? want : allocator.choose(service, want, pool.name)
    return free instanceof Refusal
      ? { ...free.reasons[0]!, object: { kind: 'IPAddressPool', namespace: pool.namespace, name: pool.name } }
      : poolReason(pool, 'notNeeded', 'could serve, but is not needed')
  })
}
