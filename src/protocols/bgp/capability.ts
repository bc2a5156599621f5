/** Capabilities of OPEN (RFC 5492), a codec a kind. */
import { DecodeError, Reader, Writer } from '../bytes/index.ts'
import type { AfiSafi } from './family.ts'
import { decodeUtf8, truncateUtf8 } from './text.ts'

export type Capability =
  /** RFC 4760 section 8 */
  | ({ readonly kind: 'multiprotocol' } & AfiSafi)
  /** RFC 2918 section 2 */
  | { readonly kind: 'route refresh' }
  /** RFC 8950 section 4: prefixes of the family may have next hops of another one. */
  | { readonly kind: 'extended next hop'; readonly families: readonly (AfiSafi & { readonly nextHopAfi: number })[] }
  /** RFC 8654 section 3 */
  | { readonly kind: 'extended message' }
  /** RFC 9234 section 4.1: what the sender is to the receiver. */
  | { readonly kind: 'role'; readonly value: number }
  | GracefulRestart
  /** RFC 6793 section 3 */
  | { readonly kind: 'four-octet AS'; readonly asn: number }
  /** RFC 7911 section 4 */
  | { readonly kind: 'add-path'; readonly families: readonly (AfiSafi & { readonly mode: AddPathMode })[] }
  /** RFC 7313 section 3.1 */
  | { readonly kind: 'enhanced route refresh' }
  | LongLivedGracefulRestart
  /** draft-walton-bgp-hostname-capability: at most 255 bytes each. */
  | { readonly kind: 'FQDN'; readonly host: string; readonly domain: string }
  | { readonly kind: 'unknown'; readonly code: number; readonly value: Uint8Array }

/** RFC 4724 section 3, RFC 8538 section 2 */
export interface GracefulRestart {
  readonly kind: 'graceful restart'
  /** R: the sender has just restarted. */
  readonly restarting: boolean
  /** N: a NOTIFICATION, too, keeps the routes. */
  readonly notification: boolean
  /** How long the sender takes to come back, 0 to 4095. */
  readonly seconds: number
  /** Forwarding (F): forwarding state of the family survived. */
  readonly families: readonly (AfiSafi & { readonly forwarding: boolean })[]
}

/** RFC 9494 section 3 */
export interface LongLivedGracefulRestart {
  readonly kind: 'long-lived graceful restart'
  /** Stale seconds: how long the receiver keeps routes after the restart time, 24 bits. */
  readonly families: readonly (AfiSafi & { readonly forwarding: boolean; readonly staleSeconds: number })[]
}

export type AddPathMode = 'receive' | 'send' | 'both'

type Kind = Capability['kind']
type Of<K extends Kind> = Extract<Capability, { kind: K }>

interface Codec<K extends Kind> {
  readonly code: number
  /** Reads the whole value. */
  decode(value: Reader): Of<K>
  encode(capability: Of<K>, value: Writer): void
}

const RESTARTING = 0x8000
const NOTIFICATION = 0x4000
const FORWARDING = 0x80
const ADD_PATH_MODES: readonly AddPathMode[] = ['receive', 'send', 'both']

const CODECS: { readonly [K in Exclude<Kind, 'unknown'>]: Codec<K> } = {
  multiprotocol: {
    code: 1,
    decode: value => {
      const afi = value.u16()
      value.skip(1)
      return { kind: 'multiprotocol', afi, safi: value.u8() }
    },
    encode: ({ afi, safi }, value) => void value.u16(afi).u8(0).u8(safi),
  },
  'route refresh': empty(2, { kind: 'route refresh' }),
  'extended next hop': {
    code: 5,
    decode: value => ({
      kind: 'extended next hop',
      families: all(value, () => ({ afi: value.u16(), safi: value.u16(), nextHopAfi: value.u16() })),
    }),
    encode: ({ families }, value) => {
      for (const { afi, safi, nextHopAfi } of families) value.u16(afi).u16(safi).u16(nextHopAfi)
    },
  },
  'extended message': empty(6, { kind: 'extended message' }),
  role: {
    code: 9,
    decode: value => ({ kind: 'role', value: value.u8() }),
    encode: (capability, value) => void value.u8(capability.value),
  },
  'graceful restart': { code: 64, decode: decodeGracefulRestart, encode: encodeGracefulRestart },
  'four-octet AS': {
    code: 65,
    decode: value => ({ kind: 'four-octet AS', asn: value.u32() }),
    encode: ({ asn }, value) => void value.u32(asn),
  },
  'add-path': {
    code: 69,
    decode: value => ({ kind: 'add-path', families: all(value, () => addPathFamily(value)).filter(isDefined) }),
    encode: ({ families }, value) => {
      for (const { afi, safi, mode } of families)
        value
          .u16(afi)
          .u8(safi)
          .u8(ADD_PATH_MODES.indexOf(mode) + 1)
    },
  },
  'enhanced route refresh': empty(70, { kind: 'enhanced route refresh' }),
  'long-lived graceful restart': {
    code: 71,
    decode: value => ({
      kind: 'long-lived graceful restart',
      families: all(value, () => ({ ...restartFamily(value), staleSeconds: value.u8() * 0x10000 + value.u16() })),
    }),
    encode: ({ families }, value) => {
      for (const { afi, safi, forwarding, staleSeconds } of families)
        value
          .u16(afi)
          .u8(safi)
          .u8(forwarding ? FORWARDING : 0)
          .u8(staleSeconds >>> 16)
          .u16(staleSeconds & 0xffff)
    },
  },
  FQDN: {
    code: 73,
    decode: value => ({ kind: 'FQDN', host: shortText(value), domain: shortText(value) }),
    encode: ({ host, domain }, value) => {
      for (const text of [truncateUtf8(host, 255), truncateUtf8(domain, 255)]) value.u8(text.length).put(text)
    },
  },
}

function empty<K extends Kind>(code: number, capability: Of<K>): Codec<K> {
  return { code, decode: () => capability, encode: () => {} }
}

function all<T>(value: Reader, read: () => T): T[] {
  const found: T[] = []
  while (value.remaining > 0) found.push(read())
  return found
}

function isDefined<T>(value: T | undefined): value is T {
  return value !== undefined
}

function decodeGracefulRestart(value: Reader): GracefulRestart {
  const first = value.u16()
  const restarting = (first & RESTARTING) !== 0
  const notification = (first & NOTIFICATION) !== 0
  const families = all(value, () => restartFamily(value))
  return { kind: 'graceful restart', restarting, notification, seconds: first & 0xfff, families }
}

function encodeGracefulRestart(capability: GracefulRestart, value: Writer): void {
  const { restarting, notification, seconds, families } = capability
  value.u16((restarting ? RESTARTING : 0) | (notification ? NOTIFICATION : 0) | Math.min(seconds, 0xfff))
  for (const { afi, safi, forwarding } of families)
    value
      .u16(afi)
      .u8(safi)
      .u8(forwarding ? FORWARDING : 0)
}

function restartFamily(value: Reader): AfiSafi & { forwarding: boolean } {
  return { afi: value.u16(), safi: value.u8(), forwarding: (value.u8() & FORWARDING) !== 0 }
}

/** A mode out of range makes the entry void, not the OPEN (RFC 7911 section 4). */
function addPathFamily(value: Reader): (AfiSafi & { mode: AddPathMode }) | undefined {
  const family = { afi: value.u16(), safi: value.u8() }
  const mode = ADD_PATH_MODES[value.u8() - 1]
  return mode && { ...family, mode }
}

function shortText(value: Reader): string {
  return decodeUtf8(value.take(value.u8()))
}

const DECODERS = new Map(Object.values(CODECS).map(codec => [codec.code, codec.decode]))

/** Multiprotocol and four-octet AS must have their length; others may have bytes to spare (chapter 04 section 2.5). */
const EXACT: ReadonlySet<number> = new Set([CODECS.multiprotocol.code, CODECS['four-octet AS'].code])

/**
 * Code, length and value of one capability.
 * @throws DecodeError
 */
export function decodeCapability(reader: Reader): Capability {
  const code = reader.u8()
  const bytes = reader.take(reader.u8())
  const decode = DECODERS.get(code)
  if (decode === undefined) return { kind: 'unknown', code, value: bytes.slice() }
  const value = new Reader(bytes)
  const capability = decode(value)
  if (EXACT.has(code) && value.remaining > 0)
    throw new DecodeError('MALFORMED', `capability ${code} is ${bytes.length} bytes long`, reader.offset)
  return capability
}

/** Code, length and value. */
export function encodeCapability(capability: Capability): Uint8Array {
  const value = new Writer()
  const code = capability.kind === 'unknown' ? capability.code : CODECS[capability.kind].code
  if (capability.kind === 'unknown') value.put(capability.value)
  else encodeValue(capability.kind, capability, value)
  return new Writer().u8(code).u8(value.length).put(value.finish()).finish()
}

function encodeValue<K extends Exclude<Kind, 'unknown'>>(kind: K, capability: Of<K>, value: Writer): void {
  const codec: Codec<K> = CODECS[kind]
  codec.encode(capability, value)
}
