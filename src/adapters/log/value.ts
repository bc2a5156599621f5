/** What a log field looks like in JSON: values with a text form become text, secrets never appear. */
import { type Address, formatAddress } from '../../core/ip/index.ts'

export const REDACTED = '<redacted>'
/** Fields whose value is withheld; `passwordSecret`, `secretName` and the like name a Secret and stay. */
const SECRET_KEY =
  /^(password|.*[-_.]?passwd|token|.*token|secret|secret-?key|authorization|(client-?|private-?)key(-?data)?)$/i
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'
const MAX_DEPTH = 8
const MAX_TEXT = 16_384

export type IsSecret = (key: string) => boolean
export const isSecretKey: IsSecret = key => key === LAST_APPLIED || SECRET_KEY.test(key)

/** A copy that JSON.stringify takes as it is: no cycles, no bigint, nothing that throws. */
export function plainValue(value: unknown, isSecret: IsSecret = isSecretKey, above: readonly object[] = []): unknown {
  if (typeof value === 'string') return value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (typeof value === 'function' || typeof value === 'symbol') return String(value)
  if (typeof value !== 'object' || value === null) return value
  return textOf(value) ?? plainObject(value, isSecret, above)
}

/** The text form of errors, addresses, dates and URLs. */
function textOf(value: object): unknown {
  if (value instanceof Error) return messageOf(value)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString()
  if (value instanceof URL) return value.href
  return isAddress(value) ? formatAddress(value) : undefined
}

function messageOf(error: Error): string {
  const cause = error.cause instanceof Error && !error.message.includes(error.cause.message) ? error.cause : undefined
  return (error.message || error.name) + (cause === undefined ? '' : `: ${cause.message}`)
}

function isAddress(value: object): value is Address {
  const { family, value: number } = value as Partial<Address>
  return (family === 'ipv4' || family === 'ipv6') && typeof number === 'bigint'
}

function plainObject(value: object, isSecret: IsSecret, above: readonly object[]): unknown {
  if (above.includes(value)) return '[circular]'
  if (above.length >= MAX_DEPTH) return '[deeper]'
  const path = [...above, value]
  if (value instanceof Map) return plainObject(Object.fromEntries(value), isSecret, above)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex').slice(0, MAX_TEXT)
  if (Array.isArray(value) || value instanceof Set) return [...value].map(item => plainValue(item, isSecret, path))
  const hidden = (value as { kind?: unknown }).kind === 'Secret' ? ['data', 'stringData'] : []
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      hidden.includes(key) || (isSecret(key) && inner !== undefined) ? REDACTED : plainValue(inner, isSecret, path),
    ]),
  )
}
