export type DecodeErrorCode =
  /** The input ended before the field did. */
  | 'TRUNCATED'
  /** A field holds what the format does not allow. */
  | 'MALFORMED'

/** Bytes that are no message of the expected kind. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
  readonly code: DecodeErrorCode
  /** Where in the input, counted from its start. */
  readonly offset: number

  constructor(code: DecodeErrorCode, message: string, offset: number) {
    super(`${message} at byte ${offset}`)
    this.code = code
    this.offset = offset
  }
}
