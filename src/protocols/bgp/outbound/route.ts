import { type Community, compareCommunities } from '../../../core/config/community.ts'
import type { Prefix } from '../../../core/ip/index.ts'
import type { AsSegment, Attribute, ExtendedCommunity } from '../attribute/index.ts'
import { AS_TRANS } from '../message/index.ts'
import type { Wire } from '../wire.ts'

/** A prefix that a peer should know, and what it should know about it. */
export interface Route {
  readonly prefix: Prefix
  readonly attributes: RouteAttributes
}

/** What a route says, apart from what the session adds. Values may be shared among routes. */
export interface RouteAttributes {
  /** For internal peers; absent: the session's default. */
  readonly localPref?: number
  /** Absent: none is sent. */
  readonly med?: number
  /** In any order, each once. */
  readonly communities: readonly Community[]
  /** How many times the AS is repeated in the path of external peers; 0 where absent. */
  readonly prepend?: number
  /** Weight of this path, in bytes per second (draft-ietf-idr-link-bandwidth). */
  readonly linkBandwidth?: number
  /** How many copies of the path a peer is told that takes several (RFC 7911). 1 where absent. */
  readonly paths?: number
}

/** Equal exactly for attributes that look the same in an UPDATE of the sender: external peers see no LOCAL_PREF. */
export function attributesKey(attributes: RouteAttributes, { wire, defaultLocalPref }: Sender): string {
  const { localPref = defaultLocalPref, med, communities, prepend = 0, linkBandwidth } = attributes
  const listed = sorted(communities).map(({ kind, parts }) => `${kind}:${parts.join(':')}`)
  return [wire.internal ? localPref : prepend, med, linkBandwidth, ...listed].join(' ')
}

function sorted(communities: readonly Community[]): Community[] {
  return [...communities].sort(compareCommunities)
}

export interface Sender {
  readonly asn: number
  readonly defaultLocalPref: number
  readonly wire: Wire
  /** RFC 9234 section 5 */
  readonly onlyToCustomer: boolean
}

/** All attributes but those for next hop and prefixes, by ascending type (chapter 04 section 6.5). */
export function pathAttributes(route: RouteAttributes, sender: Sender): Attribute[] {
  const { asn, defaultLocalPref, wire } = sender
  const path = asPathOf(route, sender)
  const narrow = wire.asnBytes === 2 && asn > 0xffff
  const attributes: Attribute[] = [
    { kind: 'origin', origin: 'igp' },
    { kind: 'as path', segments: narrow ? withoutLarge(path) : path },
  ]
  if (route.med !== undefined) attributes.push({ kind: 'med', value: route.med })
  if (wire.internal) attributes.push({ kind: 'local pref', value: route.localPref ?? defaultLocalPref })
  const communities = sorted(route.communities)
  const standard = communities.filter(one => one.kind === 'standard').map(({ parts: [a, b] }) => a * 0x10000 + b)
  const large = communities.filter(one => one.kind === 'large').map(({ parts }) => parts)
  if (standard.length > 0) attributes.push({ kind: 'communities', values: standard })
  if (route.linkBandwidth !== undefined)
    attributes.push({ kind: 'extended communities', values: [bandwidth(asn, route.linkBandwidth)] })
  if (narrow && path.length > 0) attributes.push({ kind: 'as4 path', segments: path }) // RFC 6793 section 4.2.2
  if (large.length > 0) attributes.push({ kind: 'large communities', values: large })
  if (sender.onlyToCustomer) attributes.push({ kind: 'only to customer', asn })
  return attributes
}

/** Empty within the AS (RFC 4271 section 5.1.2). */
function asPathOf({ prepend = 0 }: RouteAttributes, { asn, wire }: Sender): AsSegment[] {
  if (wire.internal) return []
  return [{ kind: 'sequence', asns: new Array<number>(Math.min(1 + prepend, 255)).fill(asn) }]
}

function withoutLarge(path: readonly AsSegment[]): AsSegment[] {
  return path.map(({ kind, asns }) => ({ kind, asns: asns.map(asn => (asn > 0xffff ? AS_TRANS : asn)) }))
}

function bandwidth(asn: number, bytesPerSecond: number): ExtendedCommunity {
  return { kind: 'link bandwidth', asn: asn > 0xffff ? AS_TRANS : asn, bytesPerSecond }
}
