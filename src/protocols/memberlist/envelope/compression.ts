import { Reader, Writer } from '../../bytes/index.ts'
import { PacketError } from '../errors.ts'
import { TYPE } from '../message/kind.ts'
import { blob, Fields, uint, writeStruct } from '../msgpack.ts'
import { compress, decompress } from './lzw.ts'

const LZW = 0

export function pack(message: Uint8Array): Uint8Array {
  const to = new Writer(message.length).u8(TYPE.compressed)
  return writeStruct(to, { Algo: uint(LZW), Buf: blob(compress(message)) }).finish()
}

/** The content after the type byte, at most `limit` bytes (IMP-21). @throws PacketError */
export function unpack(body: Uint8Array, limit: number): Uint8Array {
  const fields = Fields.read(new Reader(body))
  const algorithm = fields.uint('Algo', 255)
  if (algorithm !== LZW) throw new PacketError('MALFORMED', `compression ${algorithm} is unknown`)
  const message = decompress(fields.bytes('Buf') ?? new Uint8Array(), limit)
  if (message.length === 0) throw new PacketError('MALFORMED', 'nothing is compressed')
  return message
}
