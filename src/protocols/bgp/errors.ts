/** What can be wrong with what a peer sent, or with the session: a closed set, each with the NOTIFICATION it earns. */
const ANSWERS = {
  // RFC 4271 section 6.1
  CONNECTION_NOT_SYNCHRONIZED: [1, 1],
  BAD_MESSAGE_LENGTH: [1, 2],
  BAD_MESSAGE_TYPE: [1, 3],
  // RFC 4271 section 6.2, RFC 5492 section 5
  MALFORMED_OPEN: [2, 0],
  UNSUPPORTED_VERSION: [2, 1],
  BAD_PEER_AS: [2, 2],
  BAD_BGP_IDENTIFIER: [2, 3],
  UNSUPPORTED_OPTIONAL_PARAMETER: [2, 4],
  UNACCEPTABLE_HOLD_TIME: [2, 6],
  UNSUPPORTED_CAPABILITY: [2, 7],
  ROLE_MISMATCH: [2, 11], // RFC 9234 section 4.2
  // RFC 4271 section 6.3
  MALFORMED_ATTRIBUTE_LIST: [3, 1],
  UNRECOGNIZED_WELL_KNOWN_ATTRIBUTE: [3, 2],
  MISSING_WELL_KNOWN_ATTRIBUTE: [3, 3],
  ATTRIBUTE_FLAGS: [3, 4],
  ATTRIBUTE_LENGTH: [3, 5],
  INVALID_ORIGIN: [3, 6],
  OPTIONAL_ATTRIBUTE: [3, 9],
  INVALID_NETWORK_FIELD: [3, 10],
  MALFORMED_AS_PATH: [3, 11],
  // RFC 4271 section 6.5, RFC 6608, RFC 7313 section 5, RFC 9687 section 4
  HOLD_TIMER_EXPIRED: [4, 0],
  UNEXPECTED_MESSAGE_IN_OPEN_SENT: [5, 1],
  UNEXPECTED_MESSAGE_IN_OPEN_CONFIRM: [5, 2],
  UNEXPECTED_MESSAGE_IN_ESTABLISHED: [5, 3],
  INVALID_ROUTE_REFRESH_LENGTH: [7, 1],
  SEND_HOLD_TIMER_EXPIRED: [8, 0],
} as const

export type BgpErrorCode = keyof typeof ANSWERS

export const BGP_ERROR_CODES = Object.keys(ANSWERS) as BgpErrorCode[]

/** The three fields of a NOTIFICATION that would tell the peer. */
export interface ErrorAnswer {
  readonly code: number
  readonly subcode: number
  readonly data: Uint8Array
}

const NO_DATA = new Uint8Array()

/** A fault of the peer: what is wrong in words, and what to answer. */
export class BgpError extends Error {
  override readonly name = 'BgpError'
  readonly code: BgpErrorCode
  /** Data field of the NOTIFICATION. */
  readonly data: Uint8Array

  constructor(code: BgpErrorCode, message: string, data: Uint8Array = NO_DATA) {
    super(message)
    this.code = code
    this.data = data
  }

  get answer(): ErrorAnswer {
    const [code, subcode] = ANSWERS[this.code]
    return { code, subcode, data: this.data }
  }
}
