import { type Field, type Fields, text, uint } from '../msgpack.ts'
import { U32 } from './kind.ts'

/** The node did not answer `from`. */
export interface Suspect {
  readonly kind: 'suspect'
  readonly incarnation: number
  readonly node: string
  readonly from: string
}

/** The node is gone; said by itself it has left. */
export interface Dead {
  readonly kind: 'dead'
  readonly incarnation: number
  readonly node: string
  readonly from: string
}

export function accusationFields({ incarnation, node, from }: Suspect | Dead): Record<string, Field> {
  return { Incarnation: uint(incarnation), Node: text(node), From: text(from) }
}

export const readSuspect = (fields: Fields): Suspect => ({ kind: 'suspect', ...read(fields) })
export const readDead = (fields: Fields): Dead => ({ kind: 'dead', ...read(fields) })

function read(fields: Fields) {
  return { incarnation: fields.uint('Incarnation', U32), node: fields.text('Node'), from: fields.text('From') }
}
