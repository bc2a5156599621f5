export type BfdErrorCode =
  /** Shorter than 24 bytes, or than its own length field says. */
  | 'TRUNCATED'
  | 'VERSION'
  | 'LENGTH'
  | 'DETECT_MULTIPLIER'
  | 'MULTIPOINT'
  | 'MY_DISCRIMINATOR'
  | 'YOUR_DISCRIMINATOR'
  /** Authentication is present, and none is configured. */
  | 'AUTHENTICATED'
  /** No echo packet of ours. */
  | 'FOREIGN'
  /** The packet is sound but belongs to none of the sessions. */
  | 'NO_SESSION'
  /** It came from farther away than the session allows. */
  | 'TTL'

/** A packet to discard, RFC 5880 section 6.8.6. */
export class BfdError extends Error {
  override readonly name = 'BfdError'
  readonly code: BfdErrorCode

  constructor(code: BfdErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
