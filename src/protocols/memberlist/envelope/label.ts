import { PacketError } from '../errors.ts'
import { TYPE } from '../message/kind.ts'
import { utf8 } from '../msgpack.ts'

/** `F4 | length | label` before the bytes; nothing where there is no label. */
export function addLabel(label: string, bytes: Uint8Array): Uint8Array {
  if (label === '') return bytes
  const name = utf8(label)
  const out = new Uint8Array(2 + name.length + bytes.length)
  out.set([TYPE.label, name.length])
  out.set(name, 2)
  out.set(bytes, 2 + name.length)
  return out
}

/** Bytes that the label header takes. */
export const labelLength = (label: string) => (label === '' ? 0 : 2 + utf8(label).length)

/** How long the label header is at the start of the bytes; undefined where more bytes must come first. */
export function labelHeaderLength(bytes: Uint8Array): number | undefined {
  if (bytes.length === 0) return undefined
  if (bytes[0] !== TYPE.label) return 0
  return bytes.length < 2 || bytes.length < 2 + bytes[1]! ? undefined : 2 + bytes[1]!
}

/** Checks that the header is ours and answers what follows it. */
export function stripLabel(label: string, bytes: Uint8Array): Uint8Array {
  const length = labelHeaderLength(bytes)
  if (length === undefined) throw new PacketError('TRUNCATED', 'an unfinished label')
  const expected = addLabel(label, new Uint8Array())
  const equal = length === expected.length && expected.every((byte, at) => byte === bytes[at])
  if (!equal) throw new PacketError('WRONG_LABEL', 'the label of another cluster')
  return bytes.subarray(length)
}
