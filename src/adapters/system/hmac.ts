import { createHmac } from 'node:crypto'
import type { Hmac } from '../../ports/index.ts'

/** HMAC-SHA256 under the key. */
export function hmacSha256(key: Uint8Array): Hmac {
  return data => new Uint8Array(createHmac('sha256', key).update(data).digest())
}
