/** Keys that sign the segments of a BGP session. */

/** A key of TCP-AO: both ends know it, each may call it by another number (RFC 5925 section 3.1). Never printed. */
export interface TcpAoKey {
  /** Number in segments sent, 0 to 255. */
  readonly sendId: number
  /** Number in segments received, 0 to 255. */
  readonly receiveId: number
  /** RFC 5926 section 3 */
  readonly algorithm: TcpAoAlgorithm
  /** 1 to 80 bytes. */
  readonly secret: string
}

export type TcpAoAlgorithm = (typeof TCP_AO_ALGORITHMS)[number]

export const TCP_AO_ALGORITHMS = ['hmac-sha-1-96', 'aes-128-cmac-96'] as const

/** Of Linux, for TCP MD5 and for TCP-AO. */
const MAX_BYTES = 80

/** Why the text cannot be a key; undefined where it can. Routers cannot be told a line break (chapter 04 example 109). */
export function keyProblem(text: string): string | undefined {
  const length = utf8Length(text)
  if (length === 0) return 'is empty'
  if (length > MAX_BYTES) return `has ${length} bytes, at most ${MAX_BYTES} are possible`
  return /[\r\n]/.test(text) ? 'contains a line break' : undefined
}

function utf8Length(text: string): number {
  let length = 0
  for (const character of text) {
    const code = character.codePointAt(0)!
    length += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
  }
  return length
}
