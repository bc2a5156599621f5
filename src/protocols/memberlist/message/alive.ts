import { blob, type Field, type Fields, text, uint } from '../msgpack.ts'
import { U16, U32 } from './kind.ts'

/** A node says, or others repeat, that it lives, where, and since which of its announcements. */
export interface Alive {
  readonly kind: 'alive'
  readonly incarnation: number
  readonly node: string
  /** 4 or 16 bytes. */
  readonly addr: Uint8Array
  /** 0 means the receiver's own. */
  readonly port: number
  readonly meta?: Uint8Array
  /** [PMin, PMax, PCur, DMin, DMax, DCur] */
  readonly vsn: Uint8Array
}

export function aliveFields({ incarnation, node, addr, port, meta, vsn }: Alive): Record<string, Field> {
  const where = { Addr: blob(addr), Port: uint(port), Meta: blob(meta), Vsn: blob(vsn) }
  return { Incarnation: uint(incarnation), Node: text(node), ...where }
}

export function readAlive(fields: Fields): Alive {
  const meta = fields.bytes('Meta')
  return {
    kind: 'alive',
    incarnation: fields.uint('Incarnation', U32),
    node: fields.text('Node'),
    addr: fields.bytes('Addr') ?? new Uint8Array(),
    port: fields.uint('Port', U16),
    ...(meta?.length ? { meta } : {}),
    vsn: fields.bytes('Vsn') ?? new Uint8Array(),
  }
}
