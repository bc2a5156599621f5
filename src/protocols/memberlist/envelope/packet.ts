import type { Random } from '../../../ports/index.ts'
import { PacketError } from '../errors.ts'
import { TYPE } from '../message/kind.ts'
import { utf8 } from '../msgpack.ts'
import { COMPOUND_OVERHEAD, packCompound, unpackCompound } from './compound.ts'
import { pack, unpack } from './compression.ts'
import { crc32 } from './crc32.ts'
import { type Keyring, SEAL_OVERHEAD, seal, unseal } from './keys.ts'
import { addLabel, labelLength, stripLabel } from './label.ts'

/** How packets and streams are wrapped (chapter 03 section 4.7). */
export interface EnvelopeOptions {
  readonly label: string
  readonly compression: boolean
  readonly keyring: Keyring | undefined
  readonly random: Random
}

/** Most bytes that a UDP packet may hold when decompressed, of all parts together (IMP-21). */
const MAX_UNPACKED = 1024 * 1024
const MAX_DEPTH = 4

/** One packet around the messages. `checksum` where the receiver is known to understand it. */
export function wrapPacket(messages: readonly Uint8Array[], checksum: boolean, options: EnvelopeOptions): Uint8Array {
  const { label, compression, keyring, random } = options
  let bytes = messages.length === 1 ? messages[0]! : packCompound(messages)
  if (compression) {
    const smaller = pack(bytes)
    if (smaller.length < bytes.length) bytes = smaller
  }
  if (checksum) bytes = addChecksum(bytes)
  if (keyring?.sealOutgoing) bytes = seal(keyring, random, bytes, utf8(label))
  return addLabel(label, bytes)
}

/** Bytes left for messages in a packet of `size`: what the layers add is taken off. */
export function packetBudget(size: number, { label, keyring }: EnvelopeOptions): number {
  return size - COMPOUND_OVERHEAD - labelLength(label) - (keyring ? SEAL_OVERHEAD : 0)
}

/** The messages in a packet, undecoded. @throws PacketError */
export function unwrapPacket(bytes: Uint8Array, options: EnvelopeOptions): Uint8Array[] {
  const labelled = stripLabel(options.label, bytes)
  const plain = options.keyring ? openPacket(labelled, options.keyring, options.label) : labelled
  const budget = { left: MAX_UNPACKED }
  return messagesIn(checkChecksum(plain), budget, 0)
}

function openPacket(bytes: Uint8Array, keyring: Keyring, label: string): Uint8Array {
  try {
    return unseal(keyring, bytes, utf8(label))
  } catch (error) {
    if (keyring.verifyIncoming) throw error
    return bytes // still plain, while encryption is being turned on
  }
}

function addChecksum(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(5 + bytes.length)
  out[0] = TYPE.checksummed
  new DataView(out.buffer).setUint32(1, crc32(bytes))
  out.set(bytes, 5)
  return out
}

function checkChecksum(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 5 || bytes[0] !== TYPE.checksummed) return bytes
  const content = bytes.subarray(5)
  if (new DataView(bytes.buffer, bytes.byteOffset).getUint32(1) !== crc32(content))
    throw new PacketError('BAD_CHECKSUM', 'the checksum is another')
  return content
}

function messagesIn(bytes: Uint8Array, budget: { left: number }, depth: number): Uint8Array[] {
  if (depth > MAX_DEPTH) throw new PacketError('TOO_LARGE', `wrapped more than ${MAX_DEPTH} times`)
  if (bytes[0] === TYPE.compressed) {
    const content = unpack(bytes.subarray(1), budget.left)
    budget.left -= content.length
    return messagesIn(content, budget, depth + 1)
  }
  if (bytes[0] !== TYPE.compound) return [bytes]
  return unpackCompound(bytes.subarray(1)).flatMap(part => messagesIn(part, budget, depth + 1))
}
