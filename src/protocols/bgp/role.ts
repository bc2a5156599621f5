/** What the two ends of an external session are to each other (RFC 9234). */
import type { BgpRole } from '../../core/config/bgp.ts'

/** By the value in the capability (section 4.1). */
const ROLES: readonly BgpRole[] = ['provider', 'rs', 'rs-client', 'customer', 'peer']

/** Who may be at the other end (section 4.2). */
const OPPOSITE: Readonly<Record<BgpRole, BgpRole>> = {
  provider: 'customer',
  customer: 'provider',
  rs: 'rs-client',
  'rs-client': 'rs',
  peer: 'peer',
}

export function roleValue(role: BgpRole): number {
  return ROLES.indexOf(role)
}

/** The name, or the number where nobody has given it one. */
export function roleName(value: number): string {
  return ROLES[value] ?? `role ${value}`
}

export function rolesFit(ours: BgpRole, theirs: number): boolean {
  return ROLES[theirs] === OPPOSITE[ours]
}

/** Whether routes that leave must not go up again: to customers, peers and RS clients (section 5). */
export function sendsOnlyToCustomer(role: BgpRole | undefined): boolean {
  return role === 'provider' || role === 'peer' || role === 'rs'
}
