import { blob, type Field, type Fields, uint } from '../msgpack.ts'
import { U32 } from './kind.ts'

/** The answer to a ping. */
export interface Ack {
  readonly kind: 'ack'
  readonly seqNo: number
  /** What a delegate adds; none here. */
  readonly payload?: Uint8Array
}

/** A helper got no answer from the node it was asked to ping. */
export interface Nack {
  readonly kind: 'nack'
  readonly seqNo: number
}

export const ackFields = ({ seqNo, payload }: Ack): Record<string, Field> => ({
  SeqNo: uint(seqNo),
  Payload: blob(payload),
})

export function readAck(fields: Fields): Ack {
  const payload = fields.bytes('Payload')
  return { kind: 'ack', seqNo: fields.uint('SeqNo', U32), ...(payload && { payload }) }
}

export const nackFields = ({ seqNo }: Nack): Record<string, Field> => ({ SeqNo: uint(seqNo) })
export const readNack = (fields: Fields): Nack => ({ kind: 'nack', seqNo: fields.uint('SeqNo', U32) })
