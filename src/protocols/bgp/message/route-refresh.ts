import { Reader } from '../../bytes/index.ts'
import type { AfiSafi } from '../family.ts'
import { EXTENDED_MAX_LENGTH, MAX_LENGTH, type MessageCodec } from './kind.ts'

/** RFC 2918: send the routes of the family again; the other subtypes are of RFC 7313 section 3.2. */
export interface RouteRefresh extends AfiSafi {
  readonly kind: 'route refresh'
  /** REFRESH_REQUEST, BEGIN_OF_REFRESH, END_OF_REFRESH, or one that we do not know. */
  readonly subtype: number
}

export const REFRESH_REQUEST = 0
export const BEGIN_OF_REFRESH = 1
export const END_OF_REFRESH = 2

/** A longer one is a request with a filter (RFC 5291), which without that capability asks for everything. */
export const routeRefresh: MessageCodec<'route refresh'> = {
  type: 5,
  minLength: 23,
  maxLength: MAX_LENGTH,
  extendedMaxLength: EXTENDED_MAX_LENGTH,
  decode: body => {
    const reader = new Reader(body)
    const afi = reader.u16()
    const subtype = reader.u8()
    return { kind: 'route refresh', afi, safi: reader.u8(), subtype }
  },
  encode: ({ afi, safi, subtype }, body) => void body.u16(afi).u8(subtype).u8(safi),
}
