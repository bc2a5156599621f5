import { HEADER_LENGTH, type MessageCodec } from './kind.ts'

/** RFC 4271 section 4.4: nothing but a header. */
export interface Keepalive {
  readonly kind: 'keepalive'
}

export const keepalive: MessageCodec<'keepalive'> = {
  type: 4,
  minLength: HEADER_LENGTH,
  maxLength: HEADER_LENGTH,
  extendedMaxLength: HEADER_LENGTH,
  decode: () => ({ kind: 'keepalive' }),
  encode: () => {},
}
