import { Reader, Writer } from '../../bytes/index.ts'
import { PacketError } from '../errors.ts'
import { TYPE } from '../message/kind.ts'

/** What a compound adds, and what it adds for each part. */
export const COMPOUND_OVERHEAD = 2
export const PART_OVERHEAD = 2

/** Several messages in one packet. */
export function packCompound(parts: readonly Uint8Array[]): Uint8Array {
  const to = new Writer(256).u8(TYPE.compound).u8(parts.length)
  for (const part of parts) to.u16(part.length)
  for (const part of parts) to.put(part)
  return to.finish()
}

/** The parts after the type byte. As in Go, parts cut off at the end do not spoil the ones before. */
export function unpackCompound(body: Uint8Array): Uint8Array[] {
  const from = new Reader(body)
  if (from.remaining < 1) throw new PacketError('TRUNCATED', 'a compound without a count')
  const count = from.u8()
  if (from.remaining < 2 * count) throw new PacketError('TRUNCATED', 'a compound without its lengths')
  const lengths = Array.from({ length: count }, () => from.u16())
  const parts: Uint8Array[] = []
  for (const length of lengths) {
    if (length > from.remaining) break
    parts.push(from.take(length))
  }
  return parts
}
