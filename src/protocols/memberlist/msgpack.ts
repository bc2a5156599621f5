/**
 * The msgpack dialect of Go's memberlist (chapter 03 section 4.8): canonical on output ("raw" strings, alphabetical keys,
 * Go's signed integers), liberal on input. Input decides no allocation: every length is checked against what is there.
 */
import { DecodeError, type Reader, type Writer } from '../bytes/index.ts'
import { PacketError } from './errors.ts'

/** What a decoded message is made of. Strings and byte slices are the same on this wire. */
export type Packed = null | boolean | number | bigint | Uint8Array | Packed[] | Map<string, Packed>

/** How a field is written. `int` is Go's signed integer, `uint` its unsigned one. */
export type Field =
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'bytes'; readonly value: Uint8Array | undefined }
  | { readonly kind: 'uint'; readonly value: number }
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'bool'; readonly value: boolean }

export const text = (value: string): Field => ({ kind: 'text', value })
/** Undefined is Go's nil. */
export const blob = (value: Uint8Array | undefined): Field => ({ kind: 'bytes', value })
export const uint = (value: number): Field => ({ kind: 'uint', value })
export const int = (value: number): Field => ({ kind: 'int', value })
export const bool = (value: boolean): Field => ({ kind: 'bool', value })

const MAX_DEPTH = 8
const MAX_ELEMENTS = 1024

/** A struct: at most 15 fields; what is undefined is left out. */
export function writeStruct(to: Writer, fields: Readonly<Record<string, Field | undefined>>): Writer {
  const names = Object.keys(fields).filter(name => fields[name] !== undefined)
  to.u8(0x80 | names.length)
  for (const name of names.sort()) {
    writeRaw(to, utf8(name))
    writeField(to, fields[name]!)
  }
  return to
}

function writeField(to: Writer, field: Field): void {
  if (field.kind === 'text') writeRaw(to, utf8(field.value))
  else if (field.kind === 'bool') to.u8(field.value ? 0xc3 : 0xc2)
  else if (field.kind === 'uint') writeUint(to, field.value)
  else if (field.kind === 'int') writeInt(to, field.value)
  else if (field.value === undefined) to.u8(0xc0)
  else writeRaw(to, field.value)
}

function writeRaw(to: Writer, bytes: Uint8Array): void {
  if (bytes.length <= 31) to.u8(0xa0 | bytes.length)
  else if (bytes.length <= 0xffff) to.u8(0xda).u16(bytes.length)
  else to.u8(0xdb).u32(bytes.length)
  to.put(bytes)
}

function writeUint(to: Writer, value: number): void {
  if (value <= 0x7f) to.u8(value)
  else if (value <= 0xff) to.u8(0xcc).u8(value)
  else if (value <= 0xffff) to.u8(0xcd).u16(value)
  else to.u8(0xce).u32(value)
}

/** Never negative here: counts and states. */
function writeInt(to: Writer, value: number): void {
  if (value <= 0x7f) to.u8(value)
  else if (value <= 0x7fff) to.u8(0xd1).u16(value)
  else to.u8(0xd2).u32(value)
}

/** One value from the reader; what follows is left there. @throws PacketError */
export function readValue(from: Reader, depth = 0): Packed {
  try {
    return readAny(from, depth)
  } catch (error) {
    if (error instanceof DecodeError) throw new PacketError('TRUNCATED', error.message)
    throw error
  }
}

function readAny(from: Reader, depth: number): Packed {
  const tag = from.u8()
  if (tag <= 0x7f) return tag
  if (tag >= 0xe0) return tag - 0x100
  if (tag <= 0x8f) return readMap(from, tag & 0x0f, depth)
  if (tag <= 0x9f) return readArray(from, tag & 0x0f, depth)
  if (tag <= 0xbf) return from.take(tag & 0x1f)
  switch (tag) {
    case 0xc0:
      return null
    case 0xc2:
    case 0xc3:
      return tag === 0xc3
    case 0xc4: // bin 8, str 8
    case 0xd9:
      return from.take(from.u8())
    case 0xc5: // bin 16, raw 16
    case 0xda:
      return from.take(from.u16())
    case 0xc6: // bin 32, raw 32
    case 0xdb:
      return from.take(from.u32())
    case 0xdc:
      return readArray(from, from.u16(), depth)
    case 0xdd:
      return readArray(from, from.u32(), depth)
    case 0xde:
      return readMap(from, from.u16(), depth)
    case 0xdf:
      return readMap(from, from.u32(), depth)
    default:
      return readNumber(from, tag)
  }
}

function readNumber(from: Reader, tag: number): number | bigint {
  switch (tag) {
    case 0xca:
      return viewOf(from.take(4)).getFloat32(0)
    case 0xcb:
      return viewOf(from.take(8)).getFloat64(0)
    case 0xcc:
      return from.u8()
    case 0xcd:
      return from.u16()
    case 0xce:
      return from.u32()
    case 0xcf:
      return viewOf(from.take(8)).getBigUint64(0)
    case 0xd0:
      return viewOf(from.take(1)).getInt8(0)
    case 0xd1:
      return viewOf(from.take(2)).getInt16(0)
    case 0xd2:
      return viewOf(from.take(4)).getInt32(0)
    case 0xd3:
      return viewOf(from.take(8)).getBigInt64(0)
    default:
      throw new PacketError('MALFORMED', `no msgpack value starts with 0x${tag.toString(16)}`)
  }
}

function readArray(from: Reader, length: number, depth: number): Packed[] {
  checkSize(length, depth)
  const items: Packed[] = []
  while (items.length < length) items.push(readAny(from, depth + 1))
  return items
}

function readMap(from: Reader, length: number, depth: number): Map<string, Packed> {
  checkSize(length, depth)
  const map = new Map<string, Packed>()
  for (let entry = 0; entry < length; entry++) {
    const key = readAny(from, depth + 1)
    if (!(key instanceof Uint8Array)) throw new PacketError('MALFORMED', 'a key is no string')
    map.set(latin1(key), readAny(from, depth + 1))
  }
  return map
}

function checkSize(length: number, depth: number): void {
  if (depth >= MAX_DEPTH) throw new PacketError('TOO_LARGE', `nested deeper than ${MAX_DEPTH}`)
  if (length > MAX_ELEMENTS) throw new PacketError('TOO_LARGE', `${length} elements`)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** Reads fields of a decoded struct as Go does: what is missing or nil is zero, what does not fit is an error. */
export class Fields {
  readonly #map: Map<string, Packed>

  constructor(value: Packed) {
    if (!(value instanceof Map)) throw new PacketError('MALFORMED', 'the body is no map')
    this.#map = value
  }

  static read(from: Reader): Fields {
    return new Fields(readValue(from))
  }

  /** Bytes that are no UTF-8 become U+FFFD, which no name may hold. */
  text(name: string): string {
    return decodeUtf8(this.bytes(name) ?? new Uint8Array())
  }

  /** Copied, so that the packet can go. An array of small numbers is a byte slice too (Vsn). */
  bytes(name: string): Uint8Array | undefined {
    const value = this.#map.get(name) ?? null
    if (value === null) return undefined
    if (value instanceof Uint8Array) return value.slice()
    if (Array.isArray(value) && value.every(item => typeof item === 'number' && item >= 0 && item <= 255))
      return Uint8Array.from(value as number[])
    throw new PacketError('MALFORMED', `${name} holds no bytes`)
  }

  /** A whole number from 0 to `max`. */
  uint(name: string, max: number): number {
    const value = this.#map.get(name) ?? 0
    const number = typeof value === 'bigint' ? Number(value) : value
    if (typeof number !== 'number' || !Number.isInteger(number))
      throw new PacketError('MALFORMED', `${name} is no whole number`)
    if (number < 0 || number > max) throw new PacketError('MALFORMED', `${name} is ${number}, outside 0 to ${max}`)
    return number
  }

  bool(name: string): boolean {
    const value = this.#map.get(name) ?? false
    if (typeof value !== 'boolean') throw new PacketError('MALFORMED', `${name} is no boolean`)
    return value
  }
}

/** Keys are ASCII; others match no field. */
function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, 64))
}

/** Text to UTF-8; the layers below `apps` have no TextEncoder. */
export function utf8(value: string): Uint8Array {
  const encoded = encodeURIComponent(value)
  const bytes: number[] = []
  for (let at = 0; at < encoded.length; at++) {
    if (encoded[at] !== '%') bytes.push(encoded.charCodeAt(at))
    else {
      bytes.push(Number.parseInt(encoded.slice(at + 1, at + 3), 16))
      at += 2
    }
  }
  return Uint8Array.from(bytes)
}

export function decodeUtf8(bytes: Uint8Array): string {
  let escaped = ''
  for (const byte of bytes) escaped += `%${byte.toString(16).padStart(2, '0')}`
  try {
    return decodeURIComponent(escaped)
  } catch {
    return '\ufffd'
  }
}
