/**
 * JSON as the Kubernetes API speaks it. Integers beyond 2^53 (int64 fields of custom resources) come and go as bigint,
 * so that an object that is read and written back keeps every digit; all others are plain numbers.
 */

/** Sixteen digits in a row where a number may stand: only such a text pays for the slower reading. */
const LONG_NUMBER = /[:,[\s]-?\d{16}/
const INTEGER = /^-?\d+$/

type Reviver = (key: string, value: unknown) => unknown

const keepDigits = ((_key: string, value: unknown, { source }: { source: string }) =>
  typeof value === 'number' && !Number.isSafeInteger(value) && INTEGER.test(source)
    ? BigInt(source)
    : value) as unknown as Reviver

/** Throws SyntaxError. */
export function parseJson(text: string): unknown {
  return LONG_NUMBER.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text)
}

const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }

export function formatJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner) => (typeof inner === 'bigint' ? rawJSON(String(inner)) : inner))
}

export type Fields = Record<string, unknown>

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
