import { hash } from 'node:crypto'

/**
 * SHA-256 of the UTF-8 text, 32 bytes. Asked for as hex: three times as fast as bytes, and no object is left to the
 * garbage collector (an election hashes once for every address and node).
 */
export function sha256(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(hash('sha256', text, 'hex'), 'hex'))
}
