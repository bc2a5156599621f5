/** UTF-8 without the help of a platform. Unpaired surrogates become U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  const bytes: number[] = []
  for (const character of text) {
    const point = character.codePointAt(0)!
    putCodePoint(bytes, point >= 0xd800 && point <= 0xdfff ? 0xfffd : point)
  }
  return Uint8Array.from(bytes)
}

function putCodePoint(bytes: number[], point: number): void {
  const tail = (shift: number) => 0x80 | ((point >> shift) & 0x3f)
  if (point < 0x80) bytes.push(point)
  else if (point < 0x800) bytes.push(0xc0 | (point >> 6), tail(0))
  else if (point < 0x10000) bytes.push(0xe0 | (point >> 12), tail(6), tail(0))
  else bytes.push(0xf0 | (point >> 18), tail(12), tail(6), tail(0))
}

/** Bytes that are no UTF-8 are read as ASCII, with U+FFFD for what is not. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return decodeURIComponent(Array.from(bytes, byte => `%${byte.toString(16).padStart(2, '0')}`).join(''))
  } catch {
    return String.fromCharCode(...Array.from(bytes, byte => (byte < 0x80 ? byte : 0xfffd)))
  }
}

/** The longest beginning of the text that fits, never half a character. */
export function truncateUtf8(text: string, maxBytes: number): Uint8Array {
  const bytes = encodeUtf8(text)
  let end = Math.min(maxBytes, bytes.length)
  while (end < bytes.length && (bytes[end]! & 0xc0) === 0x80) end--
  return bytes.slice(0, end)
}

/** Safe to print: control characters, among them those that move the cursor or turn the text around, become blanks. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim()
}
