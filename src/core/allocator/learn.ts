import type { Address } from '../ip/index.ts'
import type { Reason } from '../reason.ts'
import type { Service } from '../service.ts'
import { byAge } from './age.ts'
import type { Allocator } from './allocator.ts'
import { Refusal } from './refusal.ts'

export interface Learned {
  /** Services whose addresses are held again. */
  readonly held: number
  /** Services that claim what they cannot have; the first objection to each. */
  readonly refused: readonly { readonly service: Service; readonly reasons: readonly Reason[] }[]
}

/**
 * Phase one of a start (D1): every address that a status claims and that is still valid is held by its Service before
 * anything is handed out. Nothing else changes.
 */
export function learn(allocator: Allocator, services: readonly Service[]): Learned {
  const claims = services.filter(({ type, ingress }) => type === 'LoadBalancer' && ingress.length > 0).sort(byAge)
  const refused: Learned['refused'][number][] = []
  let held = 0
  for (const service of claims) {
    const addresses = service.ingress.flatMap(({ address }) => address ?? [])
    if (addresses.length === 0) continue
    const refusal = claim(allocator, service, addresses)
    if (refusal === undefined) held++
    else refused.push({ service, reasons: refusal.reasons })
  }
  return { held, refused }
}

/** All addresses, else the first that is valid alone (D3). */
function claim(allocator: Allocator, service: Service, addresses: readonly Address[]): Refusal | undefined {
  const whole = allocator.assign(service, addresses, true)
  if (!(whole instanceof Refusal)) return undefined
  if (addresses.length < 2) return whole
  const part = addresses.some(address => !(allocator.assign(service, [address], true) instanceof Refusal))
  return part ? undefined : whole
}
