/** Configuration as JSON text for debug lines, without secrets: chapter 01 section 3.4 and REF-BUG 12. */

/** Fields whose value is never shown; annotations may hold a copy of the whole object. */
const HIDDEN = new Set(['password', 'data', 'stringData', 'annotations', 'managedFields', 'extras'])

export function dumpOf(value: unknown): string {
  return JSON.stringify(value, (key, field: unknown) => {
    if (HIDDEN.has(key)) return '<retracted>'
    if (field instanceof Set) return [...field]
    if (field instanceof Map) return Object.fromEntries(field)
    return typeof field === 'bigint' ? String(field) : field
  })
}
