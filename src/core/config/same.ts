/** Whether two configurations mean the same, chapter 01 section 3.4. */
import type { Config } from './model.ts'

/** Lists whose order means something: a pool hands out the addresses of its first entry first. */
const ORDERED = new Set(['ranges', 'entries'])

/** Deep equality that does not care in which order lists, sets and maps came about. */
export function sameConfig(a: Config, b: Config): boolean {
  return a === b || canonical(a) === canonical(b)
}

function canonical(value: unknown, key = ''): string {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? ''
  if (value instanceof Map) return canonical([...value].map(([name, field]) => ({ name, field })))
  if (value instanceof Set) return canonical([...value])
  if (Array.isArray(value)) {
    const parts = value.map(part => canonical(part))
    return `[${(ORDERED.has(key) ? parts : parts.sort()).join()}]`
  }
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  const sorted = fields.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${sorted.map(([name, field]) => `${JSON.stringify(name)}:${canonical(field, name)}`).join()}}`
}
