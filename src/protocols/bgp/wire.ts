import type { Family } from '../../core/ip/index.ts'

/** What both sides agreed on, as far as the bytes of one direction depend on it. */
export interface Wire {
  /** Width of an AS number in AS_PATH and AGGREGATOR (RFC 6793 section 4). */
  readonly asnBytes: 2 | 4
  /** Families whose prefixes carry a path identifier (RFC 7911 section 3). */
  readonly addPath: readonly Family[]
  /** Both sides are in one AS: LOCAL_PREF belongs in the UPDATE (RFC 4271 section 5.1.5). */
  readonly internal: boolean
  /** Both sides understand the subtypes of ROUTE-REFRESH (RFC 7313). */
  readonly enhancedRefresh: boolean
}

export const PLAIN_WIRE: Wire = { asnBytes: 4, addPath: [], internal: false, enhancedRefresh: false }
