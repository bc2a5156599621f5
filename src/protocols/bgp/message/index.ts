/** The table of message kinds. */
import { Writer } from '../../bytes/index.ts'
import { BgpError } from '../errors.ts'
import { PLAIN_WIRE, type Wire } from '../wire.ts'
import { type Keepalive, keepalive } from './keepalive.ts'
import { HEADER_LENGTH, type MessageCodec, type MessageKind, type MessageOf } from './kind.ts'
import { type Notification, notification } from './notification.ts'
import { type Open, open } from './open.ts'
import { type RouteRefresh, routeRefresh } from './route-refresh.ts'
import { type Update, update } from './update.ts'

export type Message = Open | Update | Notification | Keepalive | RouteRefresh

export * from './keepalive.ts'
export { EXTENDED_MAX_LENGTH, HEADER_LENGTH, MAX_LENGTH, type MessageKind } from './kind.ts'
export type { Notification } from './notification.ts'
export { AS_TRANS, asnOf, type Open, VERSION } from './open.ts'
export { BEGIN_OF_REFRESH, END_OF_REFRESH, REFRESH_REQUEST, type RouteRefresh } from './route-refresh.ts'
export { endOfRibUpdate, prefixCount, type Update } from './update.ts'

const CODECS: { readonly [K in MessageKind]: MessageCodec<K> } = {
  open,
  update,
  notification,
  keepalive,
  'route refresh': routeRefresh,
}

const BY_TYPE = new Map(Object.values(CODECS).map(codec => [codec.type, codec]))

/** A message cut out of the stream, not yet read: what framing hands over. */
export interface Frame {
  readonly type: number
  /** What follows the header. */
  readonly body: Uint8Array
}

/** Whether a message of the type may have the length; undefined where the type is unknown (RFC 4271 section 6.1). */
export function lengthFits(type: number, length: number, extended: boolean): boolean | undefined {
  const codec = BY_TYPE.get(type)
  if (codec === undefined) return undefined
  return length >= codec.minLength && length <= (extended ? codec.extendedMaxLength : codec.maxLength)
}

/**
 * @throws BgpError
 */
export function decodeMessage({ type, body }: Frame, wire: Wire = PLAIN_WIRE): Message {
  const codec = BY_TYPE.get(type)
  if (codec === undefined) throw new BgpError('BAD_MESSAGE_TYPE', `message type ${type}`, Uint8Array.of(type))
  if (codec === routeRefresh && wire.enhancedRefresh && body.length !== 4) throw badRefresh(type, body)
  return codec.decode(body, wire)
}

/** RFC 7313 section 5: the data is the whole message. */
function badRefresh(type: number, body: Uint8Array): BgpError {
  const whole = withHeader(type, body)
  return new BgpError('INVALID_ROUTE_REFRESH_LENGTH', `ROUTE-REFRESH of ${whole.length} bytes`, whole)
}

/** The whole message, header first. It is the caller's part that the length stays within what was agreed on. */
export function encodeMessage(message: Message, wire: Wire = PLAIN_WIRE): Uint8Array {
  const body = new Writer(256)
  encodeBody(message.kind, message, body, wire)
  return withHeader(CODECS[message.kind].type, body.finish())
}

function encodeBody<K extends MessageKind>(kind: K, message: MessageOf<K>, body: Writer, wire: Wire): void {
  const codec: MessageCodec<K> = CODECS[kind]
  codec.encode(message, body, wire)
}

function withHeader(type: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_LENGTH + body.length)
  bytes.fill(0xff, 0, 16)
  bytes[16] = bytes.length >>> 8
  bytes[17] = bytes.length & 0xff
  bytes[18] = type
  bytes.set(body, HEADER_LENGTH)
  return bytes
}
