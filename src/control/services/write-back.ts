/** How the outcome of a decision becomes a Service to write (chapter 02 section 1.8, D5). */
import type { IngressResource, ServiceResource } from '../../api/index.ts'
import type { Outcome } from '../../core/allocator/index.ts'
import { type Address, formatAddress, parseAddress, sameAddress } from '../../core/ip/index.ts'
import { POOL_ANNOTATION } from '../../core/service.ts'
import type { Conditions } from './conditions.ts'

/** What a write may change. */
export interface Written extends Pick<Outcome, 'addresses' | 'pool'> {
  /** Conditions to write; undefined leaves them alone. */
  readonly conditions?: Conditions
}

/** The Service with the addresses, the annotation and the conditions; the original stays as it is. */
export function withOutcome(resource: ServiceResource, { addresses, pool, conditions }: Written): ServiceResource {
  const { [POOL_ANNOTATION]: _, ...annotations } = resource.metadata.annotations ?? {}
  if (pool !== undefined) annotations[POOL_ANNOTATION] = pool
  const loadBalancer = withAddresses(resource.status?.loadBalancer ?? {}, addresses)
  return {
    ...resource,
    metadata: { ...resource.metadata, annotations },
    status: { ...resource.status, loadBalancer, ...(conditions && { conditions: [...conditions] }) },
  }
}

type LoadBalancerStatus = NonNullable<NonNullable<ServiceResource['status']>['loadBalancer']>

/** Entries that stay keep their `ipMode`, `ports` and `hostname`; a new one says `ip` only; same addresses, same value. */
function withAddresses(before: LoadBalancerStatus, addresses: readonly Address[]): LoadBalancerStatus {
  if (addresses.length === 0) return {}
  const shown = (before.ingress ?? []).filter(({ ip }) => ip)
  const isAt = (entry: IngressResource | undefined, address: Address) => {
    const parsed = parseAddress(entry?.ip ?? '')
    return parsed !== undefined && sameAddress(parsed, address)
  }
  const same = shown.length === addresses.length && addresses.every((address, index) => isAt(shown[index], address))
  if (same) return before
  const entryOf = (address: Address): IngressResource =>
    shown.find(entry => isAt(entry, address)) ?? { ip: formatAddress(address) }
  return { ...before, ingress: addresses.map(entryOf) }
}
