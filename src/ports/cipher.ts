/** HMAC-SHA256 with a key that stays outside: 32 bytes for any data. */
export type Hmac = (data: Uint8Array) => Uint8Array
