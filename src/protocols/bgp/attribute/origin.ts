import { BgpError } from '../errors.ts'
import { type AttributeCodec, exactly, WELL_KNOWN } from './kind.ts'

/** RFC 4271 section 5.1.1 */
export interface Origin {
  readonly kind: 'origin'
  readonly origin: 'igp' | 'egp' | 'incomplete'
}

const ORIGINS = ['igp', 'egp', 'incomplete'] as const

export const origin: AttributeCodec<'origin'> = {
  type: 1,
  flags: WELL_KNOWN,
  onFault: 'treat as withdraw', // RFC 7606 section 7.1
  decode: value => {
    const code = exactly(1, value).u8()
    const found = ORIGINS[code]
    if (found === undefined) throw new BgpError('INVALID_ORIGIN', `origin ${code}`)
    return { kind: 'origin', origin: found }
  },
  encode: (attribute, value) => void value.u8(ORIGINS.indexOf(attribute.origin)),
}
