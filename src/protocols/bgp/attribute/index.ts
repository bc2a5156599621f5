/** The table of attribute kinds, and the list of attributes in an UPDATE. */
import { DecodeError, Reader, Writer } from '../../bytes/index.ts'
import { BgpError, type BgpErrorCode } from '../errors.ts'
import type { Wire } from '../wire.ts'
import {
  type Aggregator,
  type As4Aggregator,
  type AtomicAggregate,
  aggregator,
  as4Aggregator,
  atomicAggregate,
} from './aggregator.ts'
import { type As4Path, type AsPath, as4Path, asPath } from './as-path.ts'
import { type Communities, communities, type LargeCommunities, largeCommunities } from './communities.ts'
import { type ExtendedCommunities, extendedCommunities } from './extended-communities.ts'
import {
  type AttributeCodec,
  type AttributeKind,
  type AttributeOf,
  EXTENDED_LENGTH,
  type FaultApproach,
  OPTIONAL,
  OPTIONAL_TRANSITIVE,
} from './kind.ts'
import { type MpReach, type MpUnreach, mpReach, mpUnreach } from './multiprotocol.ts'
import { type NextHop, nextHop } from './next-hop.ts'
import { type OnlyToCustomer, onlyToCustomer } from './only-to-customer.ts'
import { type Origin, origin } from './origin.ts'
import { type LocalPref, localPref, type Med, med } from './preference.ts'
import { type ClusterList, clusterList, type OriginatorId, originatorId } from './reflection.ts'

export type { AsSegment } from './as-path.ts'
export type { ExtendedCommunity, LinkBandwidth } from './extended-communities.ts'
export type { AttributeKind, FaultApproach } from './kind.ts'
export type { MpReach, MpUnreach } from './multiprotocol.ts'

export type Attribute =
  | Origin
  | AsPath
  | As4Path
  | NextHop
  | Med
  | LocalPref
  | AtomicAggregate
  | Aggregator
  | As4Aggregator
  | Communities
  | OriginatorId
  | ClusterList
  | MpReach
  | MpUnreach
  | ExtendedCommunities
  | LargeCommunities
  | OnlyToCustomer
  | UnknownAttribute

/** A type, or a family inside of it, that we do not know: passed through as it came. */
export interface UnknownAttribute {
  readonly kind: 'unknown'
  readonly type: number
  /** The four high bits; that for extended length follows from the value. */
  readonly flags: number
  readonly value: Uint8Array
}

/** Something wrong in an UPDATE that does not end the session (RFC 7606). */
export interface UpdateFault {
  readonly approach: Exclude<FaultApproach, 'session reset'>
  readonly code: BgpErrorCode
  /** Type of the attribute, where it is about one. */
  readonly type?: number
  readonly message: string
}

const CODECS: { readonly [K in Exclude<AttributeKind, 'unknown'>]: AttributeCodec<K> } = {
  origin,
  'as path': asPath,
  'next hop': nextHop,
  med,
  'local pref': localPref,
  'atomic aggregate': atomicAggregate,
  aggregator,
  communities,
  'originator id': originatorId,
  'cluster list': clusterList,
  'mp reach': mpReach,
  'mp unreach': mpUnreach,
  'extended communities': extendedCommunities,
  'as4 path': as4Path,
  'as4 aggregator': as4Aggregator,
  'large communities': largeCommunities,
  'only to customer': onlyToCustomer,
}

const BY_TYPE = new Map(Object.values(CODECS).map(codec => [codec.type, codec]))

/** Attributes that only a peer of our own AS may send (RFC 7606 sections 7.5, 7.9 and 7.10). */
const INTERNAL_ONLY: ReadonlySet<number> = new Set([localPref.type, originatorId.type, clusterList.type])
const MULTIPROTOCOL: ReadonlySet<number> = new Set([mpReach.type, mpUnreach.type])

interface Raw {
  readonly flags: number
  readonly type: number
  readonly value: Uint8Array
}

/**
 * Reads the field as far as it can be read; what was wrong goes to the faults.
 * @throws BgpError where RFC 7606 resets the session
 */
export function decodeAttributes(bytes: Uint8Array, wire: Wire, faults: UpdateFault[]): Attribute[] {
  const reader = new Reader(bytes)
  const seen: number[] = [] // a handful: quicker than a set
  const attributes: Attribute[] = []
  while (reader.remaining > 0) {
    const raw = nextRaw(reader, faults)
    if (raw === undefined) break
    if (seen.includes(raw.type)) noteDuplicate(raw, faults)
    else {
      seen.push(raw.type)
      const attribute = decodeAttribute(raw, wire, faults)
      if (attribute !== undefined) attributes.push(attribute)
    }
  }
  return attributes
}

/** RFC 7606 section 4: an attribute that overruns the field makes its routes withdrawn ones. */
function nextRaw(reader: Reader, faults: UpdateFault[]): Raw | undefined {
  try {
    const [flags, type] = [reader.u8(), reader.u8()]
    const length = (flags & EXTENDED_LENGTH) !== 0 ? reader.u16() : reader.u8()
    return { flags, type, value: reader.take(length) }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    const message = `attributes: ${error.message}`
    faults.push({ approach: 'treat as withdraw', code: 'MALFORMED_ATTRIBUTE_LIST', message })
    return undefined
  }
}

/** RFC 7606 section 3 (g): the first counts, but the multiprotocol ones must not be doubled. */
function noteDuplicate({ type }: Raw, faults: UpdateFault[]): void {
  const message = `attribute ${type} is there twice`
  if (MULTIPROTOCOL.has(type)) throw new BgpError('MALFORMED_ATTRIBUTE_LIST', message)
  faults.push({ approach: 'attribute discard', code: 'MALFORMED_ATTRIBUTE_LIST', type, message })
}

function decodeAttribute(raw: Raw, wire: Wire, faults: UpdateFault[]): Attribute | undefined {
  const codec = BY_TYPE.get(raw.type)
  if (codec === undefined) return unknown(raw, faults)
  const fault = (approach: UpdateFault['approach'], code: BgpErrorCode, message: string) =>
    void faults.push({ approach, code, type: raw.type, message: `attribute ${raw.type}: ${message}` })
  if (!wire.internal && INTERNAL_ONLY.has(raw.type))
    return fault('attribute discard', 'MALFORMED_ATTRIBUTE_LIST', 'not for an external session')
  if ((raw.flags & OPTIONAL_TRANSITIVE) !== codec.flags)
    fault('treat as withdraw', 'ATTRIBUTE_FLAGS', `flags 0x${raw.flags.toString(16)}`) // RFC 7606 section 3 (c)
  try {
    return codec.decode(raw.value, wire) ?? unknown(raw, faults)
  } catch (error) {
    const { code, message } = asBgpError(error)
    if (codec.onFault === 'session reset') throw new BgpError(code, `attribute ${raw.type}: ${message}`)
    return fault(codec.onFault, code, message)
  }
}

function asBgpError(error: unknown): BgpError {
  if (error instanceof BgpError) return error
  if (error instanceof DecodeError) return new BgpError('OPTIONAL_ATTRIBUTE', error.message)
  throw error
}

/** An unknown one must be optional (RFC 4271 section 6.3); as we install no routes, that costs the routes only. */
function unknown({ flags, type, value }: Raw, faults: UpdateFault[]): UnknownAttribute {
  if ((flags & OPTIONAL) === 0) {
    const message = `attribute ${type} is unknown, but not optional`
    faults.push({ approach: 'treat as withdraw', code: 'UNRECOGNIZED_WELL_KNOWN_ATTRIBUTE', type, message })
  }
  return { kind: 'unknown', type, flags: flags & 0xe0, value: value.slice() }
}

/** The type of a known kind. */
export function typeOf(kind: Exclude<AttributeKind, 'unknown'>): number {
  return CODECS[kind].type
}

/** In the given order. A length above 255 takes two bytes, and the flag that says so. */
export function encodeAttributes(attributes: readonly Attribute[], writer: Writer, wire: Wire): void {
  for (const attribute of attributes) {
    const value = new Writer()
    const { type, flags } = attribute.kind === 'unknown' ? attribute : CODECS[attribute.kind]
    if (attribute.kind === 'unknown') value.put(attribute.value)
    else encodeValue(attribute.kind, attribute, value, wire)
    if (value.length > 255)
      writer
        .u8(flags | EXTENDED_LENGTH)
        .u8(type)
        .u16(value.length)
    else writer.u8(flags).u8(type).u8(value.length)
    writer.put(value.finish())
  }
}

function encodeValue<K extends Exclude<AttributeKind, 'unknown'>>(
  kind: K,
  attribute: AttributeOf<K>,
  value: Writer,
  wire: Wire,
): void {
  const codec: AttributeCodec<K> = CODECS[kind]
  codec.encode(attribute, value, wire)
}
