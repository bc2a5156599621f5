import type { Address } from '../../core/ip/index.ts'

export interface Speaker {
  readonly identifier: Address
  readonly asn: number
}

/** Who opened the connection. */
export type Initiator = 'local' | 'remote'

/**
 * Of two connections between the same speakers the one survives that was opened by the higher identifier, compared as
 * numbers (RFC 4271 section 6.8), or by the higher AS where the identifiers are equal (RFC 6286 section 2.3).
 */
export function collisionWinner(local: Speaker, remote: Speaker): Initiator {
  if (local.identifier.value !== remote.identifier.value)
    return local.identifier.value > remote.identifier.value ? 'local' : 'remote'
  return local.asn > remote.asn ? 'local' : 'remote'
}
