import { type Address, addressBytes, addressFromBytes, type Family } from '../../../core/ip/index.ts'
import { Reader } from '../../bytes/index.ts'
import { BgpError } from '../errors.ts'
import { unicast, unicastFamily } from '../family.ts'
import { decodeNlri, encodeNlri, type Nlri } from '../nlri.ts'
import { type AttributeCodec, OPTIONAL } from './kind.ts'

/** MP_REACH_NLRI (RFC 4760 section 3) for unicast. */
export interface MpReach {
  readonly kind: 'mp reach'
  readonly family: Family
  /** May be of the other family than the prefixes (RFC 8950 section 3). */
  readonly nextHop: Address
  /** Follows a next hop on the same link (RFC 2545 section 3). */
  readonly linkLocal?: Address
  readonly nlri: readonly Nlri[]
}

/** MP_UNREACH_NLRI (RFC 4760 section 4) for unicast; without prefixes it is the End-of-RIB (RFC 4724 section 2). */
export interface MpUnreach {
  readonly kind: 'mp unreach'
  readonly family: Family
  readonly nlri: readonly Nlri[]
}

/** Lengths of next hops by the family of the prefixes (RFC 2545 section 3, RFC 8950 section 3). */
const NEXT_HOP_LENGTHS: Readonly<Record<Family, readonly number[]>> = { ipv4: [4, 16, 32], ipv6: [16, 32] }

export const mpReach: AttributeCodec<'mp reach'> = {
  type: 14,
  flags: OPTIONAL,
  onFault: 'session reset', // RFC 7606 section 7.11
  decode: (value, { addPath }) => {
    const reader = new Reader(value)
    const family = unicastFamily({ afi: reader.u16(), safi: reader.u8() })
    if (family === undefined) return undefined
    const length = reader.u8()
    if (!NEXT_HOP_LENGTHS[family].includes(length))
      throw new BgpError('OPTIONAL_ATTRIBUTE', `a next hop of ${length} bytes for ${family}`)
    const nextHop = wholeAddress(reader.take(Math.min(length, 16)))
    const linkLocal = length === 32 ? { linkLocal: wholeAddress(reader.take(16)) } : {}
    reader.skip(1) // RFC 4760 section 3: reserved
    return {
      kind: 'mp reach',
      family,
      nextHop,
      ...linkLocal,
      nlri: decodeNlri(reader.rest(), family, addPath.includes(family)),
    }
  },
  encode: ({ family, nextHop, linkLocal, nlri }, value, { addPath }) => {
    const { afi, safi } = unicast(family)
    const hops = linkLocal === undefined ? [nextHop] : [nextHop, linkLocal]
    const bytes = hops.map(addressBytes)
    value
      .u16(afi)
      .u8(safi)
      .u8(bytes.reduce((sum, one) => sum + one.length, 0))
    for (const one of bytes) value.put(one)
    value.u8(0)
    encodeNlri(value, nlri, addPath.includes(family))
  },
}

export const mpUnreach: AttributeCodec<'mp unreach'> = {
  type: 15,
  flags: OPTIONAL,
  onFault: 'session reset', // RFC 7606 section 7.12
  decode: (value, { addPath }) => {
    const reader = new Reader(value)
    const family = unicastFamily({ afi: reader.u16(), safi: reader.u8() })
    if (family === undefined) return undefined
    return { kind: 'mp unreach', family, nlri: decodeNlri(reader.rest(), family, addPath.includes(family)) }
  },
  encode: ({ family, nlri }, value, { addPath }) => {
    const { afi, safi } = unicast(family)
    value.u16(afi).u8(safi)
    encodeNlri(value, nlri, addPath.includes(family))
  },
}

/** Sixteen bytes are IPv6 here, even where they spell a mapped address. */
function wholeAddress(bytes: Uint8Array): Address {
  if (bytes.length === 4) return addressFromBytes(bytes)!
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16)
  return { family: 'ipv6', value: (view.getBigUint64(0) << 64n) | view.getBigUint64(8) }
}
