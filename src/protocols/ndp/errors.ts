import { DecodeError } from '../bytes/index.ts'

/** Why a packet is no neighbor message, as `metallb_layer2_requests_ignored_total` says it (RFC 4861 section 7.1). */
export type InvalidReason =
  /** Shorter than its own length fields, or than a message is. */
  | 'truncated'
  /** A router has passed it on, or somebody who is not on the link has made it. */
  | 'hopLimit'
  | 'checksum'
  | 'code'
  | 'multicastSource'
  | 'multicastTarget'
  /** An option of length 0, behind which nothing can be read. */
  | 'emptyOption'
  /** Duplicate address detection that says a MAC, or that is not sent to the group of its target. */
  | 'invalidProbe'
  /** An advertisement to a group that says it is an answer. */
  | 'solicitedToGroup'
  /** Not ICMPv6 in IPv6, or of another type. */
  | 'malformed'

/** Bytes that are no valid message of neighbor discovery. */
export class NdpError extends DecodeError {
  readonly reason: InvalidReason

  constructor(reason: InvalidReason, what: string, offset: number) {
    super('MALFORMED', `neighbor message with ${what}`, offset)
    this.reason = reason
  }
}

/** @throws whatever is not about the bytes */
export function reasonOf(error: unknown): InvalidReason {
  if (error instanceof NdpError) return error.reason
  if (!(error instanceof DecodeError)) throw error
  return error.code === 'TRUNCATED' ? 'truncated' : 'malformed'
}
