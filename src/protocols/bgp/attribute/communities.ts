import { type AttributeCodec, OPTIONAL_TRANSITIVE, pieces } from './kind.ts'

/** RFC 1997: each 32 bits, by convention an AS number and a value. */
export interface Communities {
  readonly kind: 'communities'
  readonly values: readonly number[]
}

/** RFC 8092: global administrator and two values of its own. */
export interface LargeCommunities {
  readonly kind: 'large communities'
  readonly values: readonly (readonly [number, number, number])[]
}

export const communities: AttributeCodec<'communities'> = {
  type: 8,
  flags: OPTIONAL_TRANSITIVE,
  onFault: 'treat as withdraw', // RFC 7606 section 7.8
  decode: value => ({ kind: 'communities', values: pieces(4, value, reader => reader.u32()) }),
  encode: ({ values }, value) => {
    for (const community of values) value.u32(community)
  },
}

export const largeCommunities: AttributeCodec<'large communities'> = {
  type: 32,
  flags: OPTIONAL_TRANSITIVE,
  onFault: 'treat as withdraw', // RFC 8092 section 6
  decode: value => ({
    kind: 'large communities',
    values: pieces(12, value, reader => [reader.u32(), reader.u32(), reader.u32()]),
  }),
  encode: ({ values }, value) => {
    for (const [global, first, second] of values) value.u32(global).u32(first).u32(second)
  },
}
