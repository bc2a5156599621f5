/** RFC 4648 section 4, as text in UTF-8. */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Undefined where the input is not base64 or the bytes are not UTF-8. */
export function decodeBase64Text(encoded: string): string | undefined {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(encoded)) return undefined
  const characters = encoded.replace(/=+$/, '')
  const bytes: number[] = []
  let bits = 0
  let held = 0
  for (const character of characters) {
    bits = ((bits << 6) | ALPHABET.indexOf(character)) & 0xffff
    held += 6
    if (held < 8) continue
    held -= 8
    bytes.push((bits >> held) & 0xff)
  }
  try {
    return decodeURIComponent(bytes.map(byte => `%${byte.toString(16).padStart(2, '0')}`).join(''))
  } catch {
    return undefined // URIError: not UTF-8
  }
}

/** Of plain ASCII, as PEM is. */
export function encodeBase64Ascii(text: string): string {
  let encoded = ''
  for (let at = 0; at < text.length; at += 3) {
    const [a = 0, b = 0, c = 0] = [0, 1, 2].map(offset => text.charCodeAt(at + offset) || 0)
    const bits = (a << 16) | (b << 8) | c
    encoded += [18, 12, 6, 0].map(shift => ALPHABET[(bits >> shift) & 63]).join('')
  }
  const missing = (3 - (text.length % 3)) % 3
  return missing === 0 ? encoded : encoded.slice(0, -missing) + '='.repeat(missing)
}
