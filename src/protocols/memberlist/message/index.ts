import { Reader, Writer } from '../../bytes/index.ts'
import { PacketError } from '../errors.ts'
import { type Field, Fields, text, writeStruct } from '../msgpack.ts'
import { accusationFields, type Dead, readDead, readSuspect, type Suspect } from './accusation.ts'
import { type Ack, ackFields, type Nack, nackFields, readAck, readNack } from './ack.ts'
import { type Alive, aliveFields, readAlive } from './alive.ts'
import { type IndirectPing, indirectPingFields, readIndirectPing } from './indirect-ping.ts'
import { TYPE } from './kind.ts'
import { type Ping, pingFields, readPing } from './ping.ts'
import { type PushPull, readPushPull, writePushPull } from './push-pull.ts'

export type { Dead, Suspect } from './accusation.ts'
export type { Ack, Nack } from './ack.ts'
export type { Alive } from './alive.ts'
export type { IndirectPing } from './indirect-ping.ts'
export { TYPE } from './kind.ts'
export type { Ping, Source } from './ping.ts'
export { type NodeState, type PushPull, STATES, type StateName } from './push-pull.ts'

/** Why the other side of a stream gives up. */
export interface ErrorMessage {
  readonly kind: 'error'
  readonly error: string
}

/** Bytes for a delegate of another application: read and forgotten. */
export interface UserMessage {
  readonly kind: 'user'
}

export type Message = Ping | IndirectPing | Ack | Nack | Suspect | Alive | Dead | PushPull | ErrorMessage | UserMessage

type Kind<K extends string> = {
  readonly type: number
  readonly write: (to: Writer, message: Extract<Message, { kind: K }>) => void
  readonly read: (from: Reader) => Extract<Message, { kind: K }>
}

/** A kind whose body is one struct. */
function struct<K extends Message['kind']>(
  type: number,
  fieldsOf: (message: Extract<Message, { kind: K }>) => Record<string, Field | undefined>,
  read: (fields: Fields) => Extract<Message, { kind: K }>,
): Kind<K> {
  return {
    type,
    write: (to, message) => void writeStruct(to, fieldsOf(message)),
    read: from => read(Fields.read(from)),
  }
}

const KINDS: { readonly [K in Message['kind']]: Kind<K> } = {
  ping: struct(TYPE.ping, pingFields, readPing),
  indirectPing: struct(TYPE.indirectPing, indirectPingFields, readIndirectPing),
  ack: struct(TYPE.ack, ackFields, readAck),
  nack: struct(TYPE.nack, nackFields, readNack),
  suspect: struct(TYPE.suspect, accusationFields, readSuspect),
  alive: struct(TYPE.alive, aliveFields, readAlive),
  dead: struct(TYPE.dead, accusationFields, readDead),
  pushPull: { type: TYPE.pushPull, write: writePushPull, read: readPushPull },
  error: struct(
    TYPE.error,
    ({ error }) => ({ Error: text(error) }),
    fields => ({ kind: 'error', error: fields.text('Error') }),
  ),
  user: { type: TYPE.user, write: () => {}, read: () => ({ kind: 'user' }) },
}

const BY_TYPE = new Map<number, Kind<Message['kind']>>(
  Object.values(KINDS).map(kind => [kind.type, kind as unknown as Kind<Message['kind']>]),
)

/** Type byte and body. */
export function encodeMessage(message: Message): Uint8Array {
  const { type, write } = KINDS[message.kind] as unknown as Kind<Message['kind']>
  const to = new Writer(128).u8(type)
  write(to, message)
  return to.finish()
}

/** What follows the message is ignored, as Go does. @throws PacketError */
export function decodeMessage(bytes: Uint8Array): Message {
  const type = bytes[0]
  if (type === undefined) throw new PacketError('TRUNCATED', 'an empty message')
  const kind = BY_TYPE.get(type)
  if (kind === undefined) throw new PacketError('UNKNOWN_TYPE', `message type ${type}`)
  return kind.read(new Reader(bytes, 1))
}
