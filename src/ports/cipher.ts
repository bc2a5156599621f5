/** HMAC-SHA256 with a key that stays outside: 32 bytes for any data. */
export type Hmac = (data: Uint8Array) => Uint8Array

/** AES-GCM with a key that stays outside. */
export interface Aead {
  /** Ciphertext and 16-byte tag. The nonce, 12 bytes, must never be used twice. */
  seal(nonce: Uint8Array, plaintext: Uint8Array, additional: Uint8Array): Uint8Array
  /** The plaintext; undefined where key, nonce, text or additional data are others. */
  open(nonce: Uint8Array, sealed: Uint8Array, additional: Uint8Array): Uint8Array | undefined
}
