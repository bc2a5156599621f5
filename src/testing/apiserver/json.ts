/** JSON without loss: integers beyond 2^53 (int64 status fields) are read as bigint and written back digit by digit. */

type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown
const parseWithSource = JSON.parse as (text: string, reviver?: Reviver) => unknown
const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON

/** Throws SyntaxError. The slow reader runs only where the text has a number long enough to need it. */
export function parseJson(text: string): unknown {
  return /\d{16}/.test(text) ? parseWithSource(text, keepLargeIntegers) : JSON.parse(text)
}

function keepLargeIntegers(_key: string, value: unknown, { source }: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value) || source === undefined) return value
  return /^-?\d+$/.test(source) ? BigInt(source) : value
}

export function toJson(value: unknown, indent?: number): string {
  try {
    return JSON.stringify(value, undefined, indent)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return JSON.stringify(value, (_key, part) => (typeof part === 'bigint' ? rawJson(String(part)) : part), indent)
  }
}
