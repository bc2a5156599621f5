import type { Address } from '../ip/index.ts'
import type { Service } from '../service.ts'
import type { Allocator } from './allocator.ts'
import { Refusal, refuse } from './refusal.ts'
import { requestedAddresses, requestedPool, type Want } from './request.ts'
import { quoteAddresses } from './text.ts'

/** Section 1.6.1: the addresses for a Service that holds none; changes nothing. */
export function selectAddresses(allocator: Allocator, service: Service, want: Want): Address[] | Refusal {
  const requested = requestedAddresses(service)
  if (requested instanceof Refusal) return requested
  const pool = requestedPool(service)
  if (requested.length === 0) return allocator.choose(service, want, pool)
  const shown = `requested loadBalancer IP(s) ${quoteAddresses(requested)}`
  const families = requested.length === 2 ? 'dual' : requested[0]!.family
  const oneOfTwo = want.families === 'dual' && want.oneIsEnough // D15
  if (families !== want.families && !oneOfTwo)
    return refuse('requestedFamily', `${shown} does not match the ipFamily of the service`)
  const found = allocator.check(service, requested)
  if (found instanceof Refusal) return found
  if (pool === undefined || pool === found.name) return requested
  return refuse('otherPoolRequested', `${shown} is not compatible with requested address pool ${pool}`)
}
