/**
 * An echo packet: what it holds is the sender's own business (RFC 5880 section 5). Ours:
 *
 *     0  "MLBE"     4  discriminator of the session     8  sequence
 */
import { BfdError } from './errors.ts'

export interface EchoPacket {
  readonly discriminator: number
  readonly sequence: number
}

export const ECHO_BYTES = 12
const MAGIC = 0x4d4c4245 // "MLBE"

export function encodeEcho({ discriminator, sequence }: EchoPacket): Uint8Array {
  const view = new DataView(new ArrayBuffer(ECHO_BYTES))
  view.setUint32(0, MAGIC)
  view.setUint32(4, discriminator)
  view.setUint32(8, sequence)
  return new Uint8Array(view.buffer)
}

/** @throws BfdError */
export function decodeEcho(bytes: Uint8Array): EchoPacket {
  if (bytes.length < ECHO_BYTES) throw new BfdError('TRUNCATED', `${bytes.length} bytes are no echo packet`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.getUint32(0) !== MAGIC) throw new BfdError('FOREIGN', 'no echo packet of ours')
  return { discriminator: view.getUint32(4), sequence: view.getUint32(8) }
}
