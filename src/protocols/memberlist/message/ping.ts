import { blob, type Field, type Fields, text, uint } from '../msgpack.ts'
import { U16, U32 } from './kind.ts'

/** Where the answer goes; absent where the sender is older and the packet's source is meant. */
export interface Source {
  readonly sourceAddr?: Uint8Array
  readonly sourcePort?: number
  readonly sourceNode?: string
}

/** "Are you there?" */
export interface Ping extends Source {
  readonly kind: 'ping'
  readonly seqNo: number
  /** Who is asked; empty asks whoever receives it. */
  readonly node: string
}

export function pingFields({ seqNo, node, ...source }: Ping): Record<string, Field | undefined> {
  return { SeqNo: uint(seqNo), Node: text(node), ...sourceFields(source) }
}

export function readPing(fields: Fields): Ping {
  return { kind: 'ping', seqNo: fields.uint('SeqNo', U32), node: fields.text('Node'), ...readSource(fields) }
}

/** Empty values are left out. */
export function sourceFields({ sourceAddr, sourcePort, sourceNode }: Source): Record<string, Field | undefined> {
  return {
    SourceAddr: sourceAddr?.length ? blob(sourceAddr) : undefined,
    SourcePort: sourcePort ? uint(sourcePort) : undefined,
    SourceNode: sourceNode ? text(sourceNode) : undefined,
  }
}

export function readSource(fields: Fields): Source {
  const sourceAddr = fields.bytes('SourceAddr')
  const sourcePort = fields.uint('SourcePort', U16)
  const sourceNode = fields.text('SourceNode')
  return {
    ...(sourceAddr?.length ? { sourceAddr } : {}),
    ...(sourcePort ? { sourcePort } : {}),
    ...(sourceNode ? { sourceNode } : {}),
  }
}
