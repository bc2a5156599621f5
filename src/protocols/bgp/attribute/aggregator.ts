import { type Address, addressBytes, addressFromBytes } from '../../../core/ip/index.ts'
import { type AttributeCodec, exactly, OPTIONAL_TRANSITIVE, WELL_KNOWN } from './kind.ts'

/** RFC 4271 section 5.1.6 */
export interface AtomicAggregate {
  readonly kind: 'atomic aggregate'
}

/** RFC 4271 section 5.1.7 */
export interface Aggregator {
  readonly kind: 'aggregator'
  readonly asn: number
  readonly identifier: Address
}

/** RFC 6793 section 3 */
export interface As4Aggregator {
  readonly kind: 'as4 aggregator'
  readonly asn: number
  readonly identifier: Address
}

export const atomicAggregate: AttributeCodec<'atomic aggregate'> = {
  type: 6,
  flags: WELL_KNOWN,
  onFault: 'attribute discard', // RFC 7606 section 7.6
  decode: value => {
    exactly(0, value)
    return { kind: 'atomic aggregate' }
  },
  encode: () => {},
}

export const aggregator: AttributeCodec<'aggregator'> = {
  type: 7,
  flags: OPTIONAL_TRANSITIVE,
  onFault: 'attribute discard', // RFC 7606 section 7.7
  decode: (value, { asnBytes }) => {
    const reader = exactly(asnBytes + 4, value)
    const asn = asnBytes === 4 ? reader.u32() : reader.u16()
    return { kind: 'aggregator', asn, identifier: addressFromBytes(reader.rest())! }
  },
  encode: ({ asn, identifier }, value, { asnBytes }) =>
    void (asnBytes === 4 ? value.u32(asn) : value.u16(asn)).put(addressBytes(identifier)),
}

export const as4Aggregator: AttributeCodec<'as4 aggregator'> = {
  type: 18,
  flags: OPTIONAL_TRANSITIVE,
  onFault: 'attribute discard', // RFC 6793 section 6
  decode: value => {
    const reader = exactly(8, value)
    return { kind: 'as4 aggregator', asn: reader.u32(), identifier: addressFromBytes(reader.rest())! }
  },
  encode: ({ asn, identifier }, value) => void value.u32(asn).put(addressBytes(identifier)),
}
