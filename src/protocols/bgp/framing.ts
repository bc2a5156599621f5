import { BgpError } from './errors.ts'
import { EXTENDED_MAX_LENGTH, type Frame, HEADER_LENGTH, lengthFits } from './message/index.ts'

/** Cuts a stream that arrives in any pieces into messages; holds at most one unfinished message and the last piece. */
export class Framer {
  /** RFC 8654 section 4: messages up to 65535 bytes are accepted, because we said that we can read them. */
  extended = false
  #bytes: Uint8Array = new Uint8Array()
  #offset = 0

  /** The bytes must not change until all messages that they complete are read. */
  push(piece: Uint8Array): void {
    const kept = this.#bytes.length - this.#offset
    if (kept === 0) this.#bytes = piece
    else {
      const joined = new Uint8Array(kept + piece.length)
      joined.set(this.#bytes.subarray(this.#offset))
      joined.set(piece, kept)
      this.#bytes = joined
    }
    this.#offset = 0
  }

  /** Bytes that wait for the rest of their message. */
  get waiting(): number {
    return this.#bytes.length - this.#offset
  }

  /**
   * The next whole message, undefined where it has not arrived yet. A bad header is noticed as soon as it is there.
   * @throws BgpError CONNECTION_NOT_SYNCHRONIZED, BAD_MESSAGE_LENGTH or BAD_MESSAGE_TYPE; the stream cannot go on
   */
  next(): Frame | undefined {
    if (this.waiting < HEADER_LENGTH) return undefined
    const start = this.#offset
    const length = checkedLength(this.#bytes, start, this.extended)
    if (this.waiting < length) return undefined
    this.#offset += length
    return { type: this.#bytes[start + 18]!, body: this.#bytes.subarray(start + HEADER_LENGTH, start + length) }
  }
}

/** RFC 4271 section 6.1, in its order. The header begins at `start`. */
function checkedLength(bytes: Uint8Array, start: number, extended: boolean): number {
  for (let index = start; index < start + 16; index++)
    if (bytes[index] !== 0xff) throw new BgpError('CONNECTION_NOT_SYNCHRONIZED', 'the marker is not all ones')
  const length = (bytes[start + 16]! << 8) | bytes[start + 17]!
  const type = bytes[start + 18]!
  const fits = lengthFits(type, length, extended)
  if (fits === false || length < HEADER_LENGTH || length > EXTENDED_MAX_LENGTH)
    throw new BgpError(
      'BAD_MESSAGE_LENGTH',
      `a message of type ${type} and ${length} bytes`,
      bytes.slice(start + 16, start + 18),
    )
  if (fits === undefined) throw new BgpError('BAD_MESSAGE_TYPE', `message type ${type}`, Uint8Array.of(type))
  return length
}
