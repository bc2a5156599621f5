import { PacketError } from '../errors.ts'
import { TYPE } from '../message/kind.ts'
import { utf8 } from '../msgpack.ts'
import { pack, unpack } from './compression.ts'
import { seal, unseal } from './keys.ts'
import { addLabel, labelHeaderLength, stripLabel } from './label.ts'
import type { EnvelopeOptions } from './packet.ts'

/** Most bytes of one message on a stream, before and after decompression (IMP-21). */
export const MAX_STREAM_BYTES = 20 * 1024 * 1024
const FRAME_HEADER = 5

/** A message as it goes over TCP (chapter 03 section 4.10). */
export function wrapStream(message: Uint8Array, options: EnvelopeOptions): Uint8Array {
  const { label, compression, keyring, random } = options
  const bytes = compression ? pack(message) : message
  if (!keyring?.sealOutgoing) return addLabel(label, bytes)
  const header = frameHeader(29 + bytes.length)
  const sealed = seal(keyring, random, bytes, concat(header, utf8(label)))
  return addLabel(label, concat(header, sealed))
}

/**
 * The plain message of what has arrived so far: decrypted and decompressed, type byte first. Undefined where a sealed frame
 * or a label is not complete yet; a plain message may be unfinished: decoding it says so (TRUNCATED).
 * @throws PacketError
 */
export function unwrapStream(bytes: Uint8Array, options: EnvelopeOptions): Uint8Array | undefined {
  if (bytes.length > MAX_STREAM_BYTES + FRAME_HEADER) throw new PacketError('TOO_LARGE', 'the stream does not end')
  if (labelHeaderLength(bytes) === undefined) return undefined
  const content = stripLabel(options.label, bytes)
  if (content.length === 0) return undefined
  const plain = openStream(content, options)
  return plain?.[0] === TYPE.compressed ? unpack(plain.subarray(1), MAX_STREAM_BYTES) : plain
}

function openStream(content: Uint8Array, { label, keyring }: EnvelopeOptions): Uint8Array | undefined {
  if (content[0] !== TYPE.encrypted) {
    if (keyring?.verifyIncoming)
      throw new PacketError('NOT_ENCRYPTED', 'encryption is configured but remote state is not encrypted')
    return content
  }
  if (keyring === undefined)
    throw new PacketError('UNEXPECTED_ENCRYPTION', 'remote state is encrypted and encryption is not configured')
  if (content.length < FRAME_HEADER) return undefined
  const length = new DataView(content.buffer, content.byteOffset).getUint32(1)
  if (length > MAX_STREAM_BYTES) throw new PacketError('TOO_LARGE', `a frame of ${length} bytes`)
  if (content.length < FRAME_HEADER + length) return undefined
  const header = content.subarray(0, FRAME_HEADER)
  return unseal(keyring, content.subarray(FRAME_HEADER, FRAME_HEADER + length), concat(header, utf8(label)))
}

function frameHeader(length: number): Uint8Array {
  const header = new Uint8Array(FRAME_HEADER)
  header[0] = TYPE.encrypted
  new DataView(header.buffer).setUint32(1, length)
  return header
}

function concat(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const out = new Uint8Array(head.length + tail.length)
  out.set(head)
  out.set(tail, head.length)
  return out
}
