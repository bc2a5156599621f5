/** How a receiver knows that it has been told all routes: we only send, so only tests ask. */
import type { Family } from '../core/ip/index.ts'
import type { Update } from '../protocols/bgp/index.ts'

/** The family whose initial routes are complete with this message (RFC 4724 section 2). */
export function endOfRib({ withdrawn, attributes, nlri }: Update): Family | undefined {
  if (withdrawn.length > 0 || nlri.length > 0 || attributes.length > 1) return undefined
  const only = attributes[0]
  if (only === undefined) return 'ipv4'
  return only.kind === 'mp unreach' && only.nlri.length === 0 ? only.family : undefined
}
