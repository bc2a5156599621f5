/**
 * LZW with the least significant bit first and 8-bit literals, as Go's compress/lzw writes and reads it (chapter 03
 * section 4.8). Clear is 256, end is 257; codes grow from 9 to 12 bits.
 */
import { PacketError } from '../errors.ts'

const CLEAR = 256
const END = 257
const FIRST_WIDTH = 9
const MAX_WIDTH = 12
const MAX_CODE = 4095

export function compress(input: Uint8Array): Uint8Array {
  const out = new BitWriter()
  let table = new Map<number, number>()
  let width = FIRST_WIDTH
  let high = END
  out.put(CLEAR, width)
  /** After each code: the next one may be wider, or the table starts anew. True where an entry may be added. */
  const advance = (): boolean => {
    high++
    if (high === 1 << width && width < MAX_WIDTH) width++
    if (high < MAX_CODE) return true
    out.put(CLEAR, width)
    width = FIRST_WIDTH
    high = END
    table = new Map()
    return false
  }
  let code: number | undefined
  for (const byte of input) {
    if (code === undefined) {
      code = byte
      continue
    }
    const key = (code << 8) | byte
    const known = table.get(key)
    if (known !== undefined) {
      code = known
      continue
    }
    out.put(code, width)
    code = byte
    if (advance()) table.set(key, high)
  }
  if (code !== undefined) {
    out.put(code, width)
    advance()
  }
  out.put(END, width)
  return out.finish()
}

/** Refuses to make more than `limit` bytes before it makes them. @throws PacketError */
export function decompress(input: Uint8Array, limit: number): Uint8Array {
  const bits = new BitReader(input)
  const out = new Output(limit)
  // Entry n is the bytes of `start[n]` to `start[n] + length[n]` of the output: an entry is text already written.
  const start = new Uint32Array(MAX_CODE + 1)
  const length = new Uint32Array(MAX_CODE + 1)
  let width = FIRST_WIDTH
  let high = END
  let previous: { at: number; length: number } | undefined
  for (;;) {
    const code = bits.take(width)
    if (code === END) return out.finish()
    if (code === CLEAR) {
      width = FIRST_WIDTH
      high = END
      previous = undefined
      continue
    }
    if (code > high) throw new PacketError('MALFORMED', `code ${code} is not defined`)
    const at = out.length
    if (code < CLEAR) out.literal(code)
    else if (code === high && previous !== undefined) out.repeat(previous.at, previous.length, true)
    else out.repeat(start[code]!, length[code]!, false)
    if (previous !== undefined) {
      start[high] = previous.at // the previous text and the first byte of this one follow one another in the output
      length[high] = previous.length + 1
    }
    previous = { at, length: out.length - at }
    if (high < MAX_CODE) high++
    else previous = undefined // a full table: nothing is added any more
    if (high === 1 << width && width < MAX_WIDTH) width++
  }
}

class BitWriter {
  readonly #bytes: number[] = []
  #bits = 0
  #count = 0

  put(code: number, width: number): void {
    this.#bits |= code << this.#count
    this.#count += width
    while (this.#count >= 8) {
      this.#bytes.push(this.#bits & 0xff)
      this.#bits >>>= 8
      this.#count -= 8
    }
  }

  finish(): Uint8Array {
    if (this.#count > 0) this.#bytes.push(this.#bits & 0xff)
    return Uint8Array.from(this.#bytes)
  }
}

class BitReader {
  readonly #bytes: Uint8Array
  #at = 0
  #bits = 0
  #count = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  take(width: number): number {
    while (this.#count < width) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined) throw new PacketError('TRUNCATED', 'the compressed data ends before its end code')
      this.#bits |= byte << this.#count
      this.#count += 8
    }
    const code = this.#bits & ((1 << width) - 1)
    this.#bits >>>= width
    this.#count -= width
    return code
  }
}

class Output {
  length = 0
  readonly #limit: number
  #bytes = new Uint8Array(0)

  constructor(limit: number) {
    this.#limit = limit
  }

  literal(byte: number): void {
    this.#grow(1)
    this.#bytes[this.length++] = byte
  }

  /** Text written before, and its first byte once more where `andFirst`. */
  repeat(at: number, length: number, andFirst: boolean): void {
    this.#grow(andFirst ? length + 1 : length)
    this.#bytes.copyWithin(this.length, at, at + length)
    this.length += length
    if (andFirst) this.#bytes[this.length++] = this.#bytes[at]!
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.length)
  }

  #grow(by: number): void {
    const needed = this.length + by
    if (needed > this.#limit) throw new PacketError('TOO_LARGE', `more than ${this.#limit} bytes when decompressed`)
    if (needed <= this.#bytes.length) return
    const larger = new Uint8Array(Math.min(2 * needed, this.#limit))
    larger.set(this.#bytes.subarray(0, this.length))
    this.#bytes = larger
  }
}
