import { Reader, type Writer } from '../../bytes/index.ts'
import { BgpError } from '../errors.ts'
import type { Wire } from '../wire.ts'
import type { Attribute } from './index.ts'

export type AttributeKind = Attribute['kind']

export type AttributeOf<K extends AttributeKind> = Extract<Attribute, { kind: K }>

/** How grave a fault is (RFC 7606 section 2), the gravest last; disabling a family is not used. */
export type FaultApproach = 'attribute discard' | 'treat as withdraw' | 'session reset'

/** How attributes of a kind look after flags, type and length. */
export interface AttributeCodec<K extends AttributeKind> {
  readonly type: number
  /** The optional and the transitive bit (RFC 4271 section 4.3). */
  readonly flags: number
  /** What a malformed value means (RFC 7606 section 7). */
  readonly onFault: FaultApproach
  /**
   * Undefined for a value of an address family that we do not know.
   * @throws BgpError, DecodeError
   */
  decode(value: Uint8Array, wire: Wire): AttributeOf<K> | undefined
  encode(attribute: AttributeOf<K>, value: Writer, wire: Wire): void
}

export const OPTIONAL = 0x80
const TRANSITIVE = 0x40
export const EXTENDED_LENGTH = 0x10

export const WELL_KNOWN = TRANSITIVE
export const OPTIONAL_TRANSITIVE = OPTIONAL | TRANSITIVE

/** A reader for a value that must have this length. */
export function exactly(length: number, value: Uint8Array): Reader {
  if (value.length !== length)
    throw new BgpError('ATTRIBUTE_LENGTH', `${value.length} bytes of value instead of ${length}`)
  return new Reader(value)
}

/** The value cut into pieces of one size, at least one (RFC 7606 sections 7.8 and 7.14, RFC 8092 section 6). */
export function pieces<T>(size: number, value: Uint8Array, read: (reader: Reader) => T): T[] {
  if (value.length === 0 || value.length % size !== 0)
    throw new BgpError('ATTRIBUTE_LENGTH', `${value.length} bytes of value are not a multiple of ${size}`)
  const reader = new Reader(value)
  const found: T[] = []
  while (reader.remaining > 0) found.push(read(reader))
  return found
}
