import { Reader } from '../../bytes/index.ts'
import { EXTENDED_MAX_LENGTH, MAX_LENGTH, type MessageCodec } from './kind.ts'

/** RFC 4271 section 4.5: why the sender closes the connection. */
export interface Notification {
  readonly kind: 'notification'
  readonly code: number
  readonly subcode: number
  readonly data: Uint8Array
}

export const notification: MessageCodec<'notification'> = {
  type: 3,
  minLength: 21,
  maxLength: MAX_LENGTH,
  extendedMaxLength: EXTENDED_MAX_LENGTH,
  decode: body => {
    const reader = new Reader(body)
    return { kind: 'notification', code: reader.u8(), subcode: reader.u8(), data: reader.rest().slice() }
  },
  encode: ({ code, subcode, data }, body) => void body.u8(code).u8(subcode).put(data),
}
