/** Router Solicitation and Advertisement (RFC 4861 sections 4.1, 4.2, 6.1.1 and 6.1.2). */
import type { Mac } from '../../core/ip/index.ts'
import { Reader, Writer } from '../bytes/index.ts'
import { UNSPECIFIED } from './address.ts'
import { decodeOptions, malformed, putLinkLayer, SOURCE_LINK_LAYER } from './message.ts'
import { openPacket, sealPacket } from './packet.ts'

export const ROUTER_SOLICITATION = 133
export const ROUTER_ADVERTISEMENT = 134

export interface RouterSolicitation {
  readonly kind: 'router solicitation'
  readonly linkLayer?: Mac
}

export interface RouterAdvertisement {
  readonly kind: 'router advertisement'
  /** For what hosts send; 0 says nothing. */
  readonly hopLimit: number
  /** How long hosts may take the sender for a default router, seconds; 0: not at all. */
  readonly lifetime: number
  readonly linkLayer?: Mac
}

export interface RouterPacket {
  readonly source: bigint
  readonly destination: bigint
  readonly message: RouterSolicitation | RouterAdvertisement
}

/** Bytes behind the packet are padding. @throws DecodeError TRUNCATED, or MALFORMED for all that RFC 4861 discards */
export function decodeRouterPacket(bytes: Uint8Array): RouterPacket {
  const { body, ...ends } = openPacket(bytes)
  const reader = new Reader(body)
  const type = reader.u8()
  if (type !== ROUTER_SOLICITATION && type !== ROUTER_ADVERTISEMENT) throw malformed(`type ${type}`, 0)
  const code = reader.u8()
  if (code !== 0) throw malformed(`code ${code}`, 1)
  reader.skip(2)
  if (type === ROUTER_SOLICITATION) {
    reader.skip(4)
    const option = decodeOptions(reader, SOURCE_LINK_LAYER)
    if (ends.source === UNSPECIFIED && option.linkLayer !== undefined)
      throw malformed('a link-layer address, but no source', 8)
    return { ...ends, message: { kind: 'router solicitation', ...option } }
  }
  if (!isLinkLocal(ends.source)) throw malformed('a source that is not link-local', 0)
  const hopLimit = reader.u8()
  reader.skip(1)
  const lifetime = reader.u16()
  reader.skip(8)
  const option = decodeOptions(reader, SOURCE_LINK_LAYER)
  return { ...ends, message: { kind: 'router advertisement', hopLimit, lifetime, ...option } }
}

/** No flags, and neither reachable nor retransmission time. */
export function encodeRouterPacket({ message, ...ends }: RouterPacket): Uint8Array {
  const writer = new Writer(24)
  if (message.kind === 'router solicitation') writer.u8(ROUTER_SOLICITATION).put(new Uint8Array(7))
  else {
    writer.u8(ROUTER_ADVERTISEMENT).put(new Uint8Array(3)).u8(message.hopLimit).u8(0).u16(message.lifetime)
    writer.put(new Uint8Array(8))
  }
  putLinkLayer(writer, SOURCE_LINK_LAYER, message.linkLayer)
  return sealPacket({ ...ends, body: writer.finish() })
}

/** fe80::/10 */
function isLinkLocal(address: bigint): boolean {
  return address >> 118n === 0x3fan
}
