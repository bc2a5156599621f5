import { type AttributeCodec, exactly, OPTIONAL_TRANSITIVE } from './kind.ts'

/** RFC 9234 section 5: the AS that has sent the route down, or sideways. */
export interface OnlyToCustomer {
  readonly kind: 'only to customer'
  readonly asn: number
}

export const onlyToCustomer: AttributeCodec<'only to customer'> = {
  type: 35,
  flags: OPTIONAL_TRANSITIVE,
  onFault: 'treat as withdraw', // RFC 9234 section 5
  decode: value => ({ kind: 'only to customer', asn: exactly(4, value).u32() }),
  encode: ({ asn }, value) => void value.u32(asn),
}
