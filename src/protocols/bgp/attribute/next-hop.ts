import { type Address, addressBytes, addressFromBytes } from '../../../core/ip/index.ts'
import { type AttributeCodec, exactly, WELL_KNOWN } from './kind.ts'

/** RFC 4271 section 5.1.3: IPv4, for the prefixes in the NLRI field only. */
export interface NextHop {
  readonly kind: 'next hop'
  readonly address: Address
}

export const nextHop: AttributeCodec<'next hop'> = {
  type: 3,
  flags: WELL_KNOWN,
  onFault: 'treat as withdraw', // RFC 7606 section 7.3
  decode: value => ({ kind: 'next hop', address: addressFromBytes(exactly(4, value).rest())! }),
  encode: ({ address }, value) => void value.put(addressBytes(address)),
}
