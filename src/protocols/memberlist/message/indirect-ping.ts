import { blob, bool, type Field, type Fields, text, uint } from '../msgpack.ts'
import { U16, U32 } from './kind.ts'
import { readSource, type Source, sourceFields } from './ping.ts'

/** "Please ask that node for me." */
export interface IndirectPing extends Source {
  readonly kind: 'indirectPing'
  readonly seqNo: number
  readonly target: Uint8Array
  readonly port: number
  readonly node: string
  /** Say also that there was no answer. */
  readonly nack: boolean
}

export function indirectPingFields(message: IndirectPing): Record<string, Field | undefined> {
  const { seqNo, target, port, node, nack } = message
  const own = { SeqNo: uint(seqNo), Target: blob(target), Port: uint(port), Node: text(node), Nack: bool(nack) }
  return { ...own, ...sourceFields(message) }
}

export function readIndirectPing(fields: Fields): IndirectPing {
  return {
    kind: 'indirectPing',
    seqNo: fields.uint('SeqNo', U32),
    target: fields.bytes('Target') ?? new Uint8Array(),
    port: fields.uint('Port', U16),
    node: fields.text('Node'),
    nack: fields.bool('Nack'),
    ...readSource(fields),
  }
}
