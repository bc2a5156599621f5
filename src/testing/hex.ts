/**
 * Bytes written so that a reader can check them against the RFC: hex digits, blanks, and comments from `#` to the end
 * of the line.
 */
export function hex(strings: TemplateStringsArray, ...values: readonly string[]): Uint8Array {
  const text = String.raw({ raw: strings }, ...values)
  const digits = text.replace(/#.*$/gm, '').replace(/\s+/g, '')
  if (!/^([0-9a-fA-F]{2})*$/.test(digits)) throw new Error(`not hex: ${digits}`)
  return Uint8Array.from(digits.match(/../g) ?? [], pair => Number.parseInt(pair, 16))
}
