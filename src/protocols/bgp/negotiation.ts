/** What is offered in OPEN, and what both sides have agreed on after it (RFC 4271 section 6.2, RFC 5492). */
import type { BgpRole } from '../../core/config/bgp.ts'
import { type Address, type Family, formatAddress } from '../../core/ip/index.ts'
import { type Capability, encodeCapability, type GracefulRestart, type LongLivedGracefulRestart } from './capability.ts'
import { agreedHoldMs, holdSeconds, keepaliveMs } from './damping.ts'
import { BgpError } from './errors.ts'
import { AFI, type AfiSafi, unicast, unicastFamily } from './family.ts'
import { AS_TRANS, asnOf, type Open } from './message/index.ts'
import { roleName, rolesFit, roleValue, sendsOnlyToCustomer } from './role.ts'
import type { Wire } from './wire.ts'

/** The local side of a session. */
export interface Settings {
  /** AS shown to the peer: `localASN` where it is set, else `myASN` (chapter 04 section 6.4). */
  readonly localAsn: number
  /** IPv4, not 0.0.0.0. */
  readonly identifier: Address
  /** AS of the peer, or what it must be compared with ours. */
  readonly remoteAs: number | 'internal' | 'external'
  /** 0 or at least 3000. */
  readonly holdMs: number
  readonly keepaliveMs?: number
  /** The longest pause between attempts. */
  readonly connectRetryMs: number
  /** At least one. */
  readonly families: readonly Family[]
  /** IPv4 prefixes may have IPv6 next hops (RFC 8950). */
  readonly extendedNextHop: boolean
  /** RFC 8654 */
  readonly extendedMessage: boolean
  /** Absent: not offered. Seconds until we are back, 0 to 4095. */
  readonly gracefulRestart?: { readonly seconds: number; readonly restarting: boolean }
  /** RFC 9494; only with graceful restart. */
  readonly longLivedStaleSeconds?: number
  /** What we are to an external peer (RFC 9234). Absent: not said. */
  readonly role?: BgpRole
  /** Prefixes may go to the peer in several copies (RFC 7911). */
  readonly addPath?: boolean
  readonly hostname?: string
  /** Wait for the peer's connection and never dial. */
  readonly passive: boolean
  /** The peer's connections are accepted: there is a listener. */
  readonly listens: boolean
}

/** Facts of a session that hold as long as its connection. */
export interface Agreed {
  readonly peerAsn: number
  readonly peerIdentifier: Address
  readonly internal: boolean
  /** 0: no timers. */
  readonly holdMs: number
  readonly keepaliveMs: number
  /** What the peer offered. */
  readonly peerHoldMs: number
  /** Those that both offered, in our order. */
  readonly families: readonly Family[]
  /** How our messages are written. */
  readonly wire: Wire
  /** How the peer's are: without path identifiers, for we never ask for them (RFC 7911 section 4). */
  readonly peerWire: Wire
  readonly extendedNextHop: boolean
  /** Messages that we send may have 65535 bytes. */
  readonly extendedMessage: boolean
  readonly routeRefresh: boolean
  /** Routes that we send are for customers of the peer only (RFC 9234 section 5). */
  readonly onlyToCustomer: boolean
  /** What the peer offered, where we offered it too. */
  readonly gracefulRestart?: GracefulRestart
  readonly longLived?: LongLivedGracefulRestart
  /** A NOTIFICATION does not end the peer's patience, only a hard reset does (RFC 8538 section 3). */
  readonly notificationKeepsRoutes: boolean
  readonly peerHostname?: string
  /** Everything that the peer offered, for people. */
  readonly peerCapabilities: readonly Capability[]
}

export function offeredOpen(settings: Settings): Open {
  const { localAsn, identifier } = settings
  return {
    kind: 'open',
    myAs: localAsn > 0xffff ? AS_TRANS : localAsn, // RFC 6793 section 9
    holdTime: holdSeconds(settings.holdMs),
    identifier,
    capabilities: offeredCapabilities(settings),
  }
}

/** By code, as chapter 04 section 6.2 lists them. */
function offeredCapabilities(settings: Settings): Capability[] {
  const { families, gracefulRestart, longLivedStaleSeconds, hostname } = settings
  const pairs = families.map(unicast)
  const offered: Capability[] = pairs.map(pair => ({ kind: 'multiprotocol', ...pair }))
  offered.push({ kind: 'route refresh' })
  if (settings.extendedNextHop)
    offered.push({ kind: 'extended next hop', families: [{ ...unicast('ipv4'), nextHopAfi: AFI.ipv6 }] })
  if (settings.extendedMessage) offered.push({ kind: 'extended message' })
  if (settings.role) offered.push({ kind: 'role', value: roleValue(settings.role) })
  if (gracefulRestart) offered.push(restartCapability(gracefulRestart, pairs))
  offered.push({ kind: 'four-octet AS', asn: settings.localAsn })
  if (settings.addPath)
    offered.push({ kind: 'add-path', families: pairs.map(pair => ({ ...pair, mode: 'send' as const })) })
  offered.push({ kind: 'enhanced route refresh' })
  if (gracefulRestart && longLivedStaleSeconds !== undefined) offered.push(longLived(pairs, longLivedStaleSeconds))
  if (hostname !== undefined) offered.push({ kind: 'FQDN', host: hostname, domain: '' })
  return offered
}

/** The kernel goes on forwarding while we restart: F is always set. */
function restartCapability(
  { seconds, restarting }: NonNullable<Settings['gracefulRestart']>,
  pairs: readonly AfiSafi[],
): GracefulRestart {
  const families = pairs.map(pair => ({ ...pair, forwarding: true }))
  return { kind: 'graceful restart', restarting, notification: true, seconds, families }
}

function longLived(pairs: readonly AfiSafi[], staleSeconds: number): LongLivedGracefulRestart {
  const families = pairs.map(pair => ({ ...pair, forwarding: true, staleSeconds }))
  return { kind: 'long-lived graceful restart', families }
}

/**
 * What the peer's OPEN makes of our settings.
 * @throws BgpError where the session cannot be (chapter 04 section 6.2)
 */
export function agree(settings: Settings, open: Open): Agreed {
  const peerAsn = asnOf(open)
  checkAsn(settings, peerAsn)
  const internal = peerAsn === settings.localAsn
  checkIdentifier(settings, open.identifier, internal)
  if (open.holdTime === 1 || open.holdTime === 2)
    throw new BgpError('UNACCEPTABLE_HOLD_TIME', `hold time ${open.holdTime} s, want 0 or at least 3 s`)
  const theirs = new Offer(open.capabilities)
  const role = internal ? undefined : settings.role
  if (role !== undefined) checkRole(role, theirs)
  const families = commonFamilies(settings, theirs)
  const holdMs = agreedHoldMs(settings.holdMs, open.holdTime)
  const gracefulRestart = settings.gracefulRestart && theirs.one('graceful restart')
  const peerWire = peerWireOf(theirs, internal)
  return {
    peerAsn,
    peerIdentifier: open.identifier,
    internal,
    holdMs,
    keepaliveMs: keepaliveMs(holdMs, settings.keepaliveMs),
    peerHoldMs: 1000 * open.holdTime,
    families,
    wire: { ...peerWire, addPath: families.filter(family => settings.addPath && theirs.takesPathsOf(family)) },
    peerWire,
    extendedNextHop: settings.extendedNextHop && theirs.acceptsIPv6NextHops(),
    extendedMessage: settings.extendedMessage && theirs.has('extended message'),
    routeRefresh: theirs.has('route refresh') || theirs.hasCode(OLD_ROUTE_REFRESH),
    onlyToCustomer: sendsOnlyToCustomer(role),
    gracefulRestart,
    longLived:
      settings.longLivedStaleSeconds === undefined
        ? undefined
        : gracefulRestart && theirs.one('long-lived graceful restart'),
    notificationKeepsRoutes: gracefulRestart?.notification ?? false,
    peerHostname: theirs.one('FQDN')?.host,
    peerCapabilities: open.capabilities,
  }
}

function peerWireOf(theirs: Offer, internal: boolean): Wire {
  const asnBytes = theirs.has('four-octet AS') ? 4 : 2
  return { asnBytes, addPath: [], internal, enhancedRefresh: theirs.has('enhanced route refresh') }
}

/** Before RFC 2918 had a number. */
const OLD_ROUTE_REFRESH = 128

/** Chapter 04 section 6.4 */
export function acceptsAsn({ remoteAs, localAsn }: Pick<Settings, 'remoteAs' | 'localAsn'>, peerAsn: number): boolean {
  if (peerAsn === 0) return false
  if (remoteAs === 'internal') return peerAsn === localAsn
  return remoteAs === 'external' ? peerAsn !== localAsn : peerAsn === remoteAs
}

function checkAsn(settings: Settings, peerAsn: number): void {
  const { remoteAs, localAsn } = settings
  const want = remoteAs === 'internal' ? localAsn : remoteAs === 'external' ? `any but ${localAsn}` : remoteAs
  if (!acceptsAsn(settings, peerAsn)) throw new BgpError('BAD_PEER_AS', `unexpected peer ASN ${peerAsn}, want ${want}`)
}

/** RFC 6286 section 2.2: not zero, and unique within the AS. */
function checkIdentifier({ identifier }: Settings, theirs: Address, internal: boolean): void {
  if (theirs.value !== 0n && !(internal && theirs.value === identifier.value)) return
  const why = theirs.value === 0n ? '' : ', which is our own'
  throw new BgpError('BAD_BGP_IDENTIFIER', `BGP identifier ${formatAddress(theirs)}${why}`)
}

/** RFC 9234 section 4.2: one that says nothing about it is taken as fitting. */
function checkRole(role: BgpRole, theirs: Offer): void {
  const values = new Set(theirs.all('role').map(({ value }) => value))
  for (const value of values)
    if (values.size > 1 || !rolesFit(role, value))
      throw new BgpError(
        'ROLE_MISMATCH',
        `the peer says that it is ${[...values].map(roleName).join(' and ')}, and we are ${role}`,
      )
}

/** A peer that lists no family speaks IPv4 unicast; none in common cannot work (RFC 5492 section 3). */
function commonFamilies({ families }: Settings, theirs: Offer): Family[] {
  const offered = theirs.families()
  const common = families.filter(family => offered.includes(family))
  if (common.length > 0) return common
  const wanted = families.map(family => encodeCapability({ kind: 'multiprotocol', ...unicast(family) }))
  const message = `no address family in common: we have ${families.join(', ')}, the peer ${offered.join(', ') || 'none'}`
  throw new BgpError('UNSUPPORTED_CAPABILITY', message, Uint8Array.from(wanted.flatMap(bytes => [...bytes])))
}

class Offer {
  readonly #capabilities: readonly Capability[]

  constructor(capabilities: readonly Capability[]) {
    this.#capabilities = capabilities
  }

  one<K extends Capability['kind']>(kind: K): Extract<Capability, { kind: K }> | undefined {
    return this.all(kind).at(-1)
  }

  all<K extends Capability['kind']>(kind: K): Extract<Capability, { kind: K }>[] {
    return this.#capabilities.filter((one): one is Extract<Capability, { kind: K }> => one.kind === kind)
  }

  has(kind: Capability['kind']): boolean {
    return this.one(kind) !== undefined
  }

  hasCode(code: number): boolean {
    return this.all('unknown').some(one => one.code === code)
  }

  families(): Family[] {
    const listed = this.all('multiprotocol')
    if (listed.length === 0) return ['ipv4']
    return listed.map(unicastFamily).filter(family => family !== undefined)
  }

  takesPathsOf(family: Family): boolean {
    const entries = this.one('add-path')?.families ?? []
    return entries.some(one => unicastFamily(one) === family && one.mode !== 'send')
  }

  acceptsIPv6NextHops(): boolean {
    return this.all('extended next hop').some(({ families }) =>
      families.some(one => unicastFamily(one) === 'ipv4' && one.nextHopAfi === AFI.ipv6),
    )
  }
}
