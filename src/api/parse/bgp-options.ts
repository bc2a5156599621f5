/** Options of BGPPeers and BGPAdvertisements that are ours: annotations, so that the objects stay loadable by the reference. */
import type { BgpAdvertisement, BgpRole, Peer } from '../../core/config/index.ts'
import { flagOf } from './annotation-flag.ts'
import { numberOf } from './annotation-number.ts'
import type { ObjectReport } from './objects.ts'

const TTL_SECURITY = 'metallb.io/ttl-security'
const LONG_LIVED = 'metallb.io/long-lived-graceful-restart'
const PASSIVE = 'metallb.io/passive'
const ROLE = 'metallb.io/bgp-role'
const ADD_PATH = 'metallb.io/add-path'
const AS_PATH_PREPEND = 'metallb.io/as-path-prepend'
const MED = 'metallb.io/med'
const LINK_BANDWIDTH = 'metallb.io/link-bandwidth'

/** 24 bits (RFC 9494 section 3.1): 194 days. */
const MOST_STALE_SECONDS = 0xffffff

/** Routers use about as many paths of a prefix, at most; each costs them memory. */
const MOST_PATHS = 64

const ROLES: readonly BgpRole[] = ['provider', 'rs', 'rs-client', 'customer', 'peer']

const BYTES_PER_MEGABIT = 125_000

type Annotations = Readonly<Record<string, string>>

type PeerOptions = Pick<Peer, 'ttlSecurityHops' | 'passive' | 'longLivedStaleSeconds' | 'role' | 'maxPaths'>
type Plain = Pick<Peer, 'gracefulRestart' | 'myAsn' | 'localAsn' | 'remoteAs'>

export function parsePeerOptions(annotations: Annotations = {}, plain: Plain, on: ObjectReport): PeerOptions {
  const ttlSecurityHops = numberOf(annotations, TTL_SECURITY, [1, 254], on)
  const passive = flagOf(annotations, PASSIVE, on)
  const longLivedStaleSeconds = numberOf(annotations, LONG_LIVED, [1, MOST_STALE_SECONDS], on)
  if (longLivedStaleSeconds !== undefined && !plain.gracefulRestart)
    on.error({ path: `metadata.annotations[${LONG_LIVED}]`, message: 'has no meaning without enableGracefulRestart' })
  const role = roleOf(annotations, plain, on)
  const maxPaths = numberOf(annotations, ADD_PATH, [1, MOST_PATHS], on)
  return {
    ...(role && { role }),
    ...(ttlSecurityHops !== undefined && { ttlSecurityHops }),
    ...(passive && { passive }),
    ...(longLivedStaleSeconds !== undefined && { longLivedStaleSeconds }),
    ...(maxPaths !== undefined && { maxPaths }),
  }
}

/** RFC 9234 section 3: between ASes only. */
function roleOf(annotations: Annotations, { myAsn, localAsn = myAsn, remoteAs }: Plain, on: ObjectReport) {
  const text = annotations[ROLE]
  if (text === undefined) return undefined
  const path = `metadata.annotations[${ROLE}]`
  const role = ROLES.find(one => one === text)
  if (role === undefined)
    on.error({ path, message: `invalid role ${JSON.stringify(text)}, must be one of ${ROLES.join(', ')}` })
  if (remoteAs === 'internal' || remoteAs === localAsn)
    on.error({ path, message: 'has no meaning for a peer of the same AS' })
  return role
}

export function parseAdvertisementOptions(
  annotations: Annotations = {},
  on: ObjectReport,
): Pick<BgpAdvertisement, 'prepend' | 'med' | 'bandwidthPerEndpoint'> {
  const prepend = numberOf(annotations, AS_PATH_PREPEND, [0, 10], on)
  const med = numberOf(annotations, MED, [0, 0xffffffff], on)
  const megabits = numberOf(annotations, LINK_BANDWIDTH, [1, 1_000_000], on)
  return {
    ...(prepend && { prepend }),
    ...(med !== undefined && { med }),
    ...(megabits && { bandwidthPerEndpoint: megabits * BYTES_PER_MEGABIT }),
  }
}
