export type PacketErrorCode =
  /** The input ended before the field did. */
  | 'TRUNCATED'
  /** A field holds what the format does not allow, or a required field is empty. */
  | 'MALFORMED'
  /** A message type this node does not speak. */
  | 'UNKNOWN_TYPE'
  /** More bytes, elements or levels than are accepted. */
  | 'TOO_LARGE'
  | 'BAD_CHECKSUM'
  | 'WRONG_LABEL'
  /** Encrypted where no key is configured. */
  | 'UNEXPECTED_ENCRYPTION'
  /** Plain where a key is configured. */
  | 'NOT_ENCRYPTED'
  /** No key opens it. */
  | 'BAD_KEY'

/** Bytes from the network that are not to be believed. */
export class PacketError extends Error {
  override readonly name = 'PacketError'
  readonly code: PacketErrorCode

  constructor(code: PacketErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
