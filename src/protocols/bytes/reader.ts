import { DecodeError } from './errors.ts'

/** Reads big-endian fields one after the other; refuses, with code TRUNCATED, to read past the end. */
export class Reader {
  readonly bytes: Uint8Array
  offset: number

  constructor(bytes: Uint8Array, offset = 0) {
    this.bytes = bytes
    this.offset = offset
  }

  get remaining(): number {
    return this.bytes.length - this.offset
  }

  u8(): number {
    return this.bytes[this.#advance(1)]!
  }

  u16(): number {
    const at = this.#advance(2)
    return (this.bytes[at]! << 8) | this.bytes[at + 1]!
  }

  u32(): number {
    return this.u16() * 0x10000 + this.u16()
  }

  /** The next `length` bytes, sharing memory with the input. */
  take(length: number): Uint8Array {
    const at = this.#advance(length)
    return this.bytes.subarray(at, at + length)
  }

  skip(length: number): void {
    this.#advance(length)
  }

  /** Everything not read yet, sharing memory with the input. */
  rest(): Uint8Array {
    return this.take(this.remaining)
  }

  #advance(length: number): number {
    const at = this.offset
    if (length < 0 || length > this.bytes.length - at)
      throw new DecodeError('TRUNCATED', `need ${length} bytes, have ${this.bytes.length - at}`, at)
    this.offset = at + length
    return at
  }
}
