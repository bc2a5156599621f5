import type { Reader, Writer } from '../../bytes/index.ts'
import { PacketError } from '../errors.ts'
import { blob, bool, Fields, int, text, uint, writeStruct } from '../msgpack.ts'
import { U16, U32 } from './kind.ts'

/** Everything one node knows (chapter 03 section 4.10). */
export interface PushPull {
  readonly kind: 'pushPull'
  readonly join: boolean
  readonly nodes: readonly NodeState[]
}

export interface NodeState {
  readonly name: string
  readonly addr: Uint8Array
  readonly port: number
  readonly incarnation: number
  readonly meta?: Uint8Array
  readonly state: StateName
  readonly vsn: Uint8Array
}

/** In the order of their numbers on the wire. */
export const STATES = ['alive', 'suspect', 'dead', 'left'] as const
export type StateName = (typeof STATES)[number]

/** Far above any cluster of ours; the library accepts 2^20. */
const MAX_NODES = 16_384
const MAX_USER_STATE = 20 * 1024 * 1024

export function writePushPull(to: Writer, { join, nodes }: PushPull): void {
  writeStruct(to, { Join: bool(join), Nodes: int(nodes.length), UserStateLen: int(0) })
  for (const { name, addr, port, incarnation, meta, state, vsn } of nodes)
    writeStruct(to, {
      ...{ Addr: blob(addr), Incarnation: uint(incarnation), Meta: blob(meta), Name: text(name), Port: uint(port) },
      ...{ State: int(STATES.indexOf(state)), Vsn: blob(vsn) },
    })
}

/** The user state of foreign delegates is checked and passed over. */
export function readPushPull(from: Reader): PushPull {
  const header = Fields.read(from)
  const count = header.uint('Nodes', MAX_NODES)
  const userState = header.uint('UserStateLen', MAX_USER_STATE)
  const nodes: NodeState[] = []
  while (nodes.length < count) nodes.push(readNode(from))
  if (from.remaining < userState) throw new PacketError('TRUNCATED', 'the user state is shorter than it says')
  from.skip(userState)
  return { kind: 'pushPull', join: header.bool('Join'), nodes }
}

function readNode(from: Reader): NodeState {
  const fields = Fields.read(from)
  const meta = fields.bytes('Meta')
  return {
    name: fields.text('Name'),
    addr: fields.bytes('Addr') ?? new Uint8Array(),
    port: fields.uint('Port', U16),
    incarnation: fields.uint('Incarnation', U32),
    ...(meta?.length ? { meta } : {}),
    state: STATES[fields.uint('State', STATES.length - 1)]!,
    vsn: fields.bytes('Vsn') ?? new Uint8Array(),
  }
}
