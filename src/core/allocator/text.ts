/** The quoting that event and error texts have always had (chapter 02, "Formatting used in strings below"). */
import { type Address, formatAddress } from '../ip/index.ts'

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\v': '\\v',
}

/** `"text"`, with everything unprintable escaped. */
export function quote(text: string): string {
  let quoted = ''
  for (const char of text) quoted += ESCAPES[char] ?? (printable(char) ? char : escaped(char.codePointAt(0)!))
  return `"${quoted}"`
}

function printable(char: string): boolean {
  return char === ' ' || !/[\p{C}\p{Z}]/u.test(char)
}

function escaped(code: number): string {
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`
  return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
}

/** `["10.0.0.1" "fd00::1"]` */
export function quoteList(texts: readonly string[]): string {
  return `[${texts.map(quote).join(' ')}]`
}

/** An address list as messages show it; a missing address is `"<nil>"`. */
export function quoteAddresses(addresses: readonly (Address | undefined)[]): string {
  return quoteList(addresses.map(address => (address === undefined ? '<nil>' : formatAddress(address))))
}
