/** Message types: the first byte of a message or of one layer around it (chapter 03 section 4.8). */
export const TYPE = {
  ping: 0,
  indirectPing: 1,
  ack: 2,
  suspect: 3,
  alive: 4,
  dead: 5,
  pushPull: 6,
  compound: 7,
  user: 8,
  compressed: 9,
  encrypted: 10,
  nack: 11,
  checksummed: 12,
  error: 13,
  label: 244,
} as const

export const U16 = 0xffff
export const U32 = 0xffffffff
