import { type AttributeCodec, exactly, OPTIONAL, WELL_KNOWN } from './kind.ts'

/** MULTI_EXIT_DISC (RFC 4271 section 5.1.4): the lower the better. */
export interface Med {
  readonly kind: 'med'
  readonly value: number
}

/** LOCAL_PREF (RFC 4271 section 5.1.5): the higher the better, within one AS. */
export interface LocalPref {
  readonly kind: 'local pref'
  readonly value: number
}

export const med: AttributeCodec<'med'> = {
  type: 4,
  flags: OPTIONAL,
  onFault: 'treat as withdraw', // RFC 7606 section 7.4
  decode: value => ({ kind: 'med', value: exactly(4, value).u32() }),
  encode: (attribute, value) => void value.u32(attribute.value),
}

export const localPref: AttributeCodec<'local pref'> = {
  type: 5,
  flags: WELL_KNOWN,
  onFault: 'treat as withdraw', // RFC 7606 section 7.5
  decode: value => ({ kind: 'local pref', value: exactly(4, value).u32() }),
  encode: (attribute, value) => void value.u32(attribute.value),
}
