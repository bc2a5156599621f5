import type { Writer } from '../../bytes/index.ts'
import type { Wire } from '../wire.ts'
import type { Message } from './index.ts'

export type MessageKind = Message['kind']

export type MessageOf<K extends MessageKind> = Extract<Message, { kind: K }>

/** How messages of a kind look after their header. */
export interface MessageCodec<K extends MessageKind> {
  readonly type: number
  /** Of the whole message; `extended` where RFC 8654 is agreed on. */
  readonly minLength: number
  readonly maxLength: number
  readonly extendedMaxLength: number
  /**
   * @throws BgpError
   */
  decode(body: Uint8Array, wire: Wire): MessageOf<K>
  encode(message: MessageOf<K>, body: Writer, wire: Wire): void
}

export const HEADER_LENGTH = 19
/** RFC 4271 section 4.1 */
export const MAX_LENGTH = 4096
/** RFC 8654 section 3 */
export const EXTENDED_MAX_LENGTH = 65535
