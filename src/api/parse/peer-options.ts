/** Options of a BGPPeer that are ours: annotations, so that the object stays loadable by the reference. All are off without them. */
import type { Peer } from '../../core/config/index.ts'
import type { ObjectReport } from './objects.ts'

export const TTL_SECURITY = 'metallb.io/ttl-security'

/** Errors go to `on`, with the path of the annotation; an option that is not right is left out. */
export function parsePeerOptions(
  annotations: Readonly<Record<string, string>>,
  on: ObjectReport,
): Pick<Peer, 'ttlSecurityHops'> {
  const text = annotations[TTL_SECURITY]
  if (text === undefined) return {}
  const hops = /^[0-9]{1,3}$/.test(text) ? Number(text) : 0
  if (hops >= 1 && hops <= 254) return { ttlSecurityHops: hops }
  const message = `invalid number of hops ${JSON.stringify(text)}, must be from 1 to 254`
  on.error({ path: `metadata.annotations[${TTL_SECURITY}]`, message, hint: 'write "1" for a router on the same link' })
  return {}
}
