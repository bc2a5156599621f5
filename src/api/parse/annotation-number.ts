import type { ObjectReport } from './objects.ts'

/** A whole number within the bounds, both included; undefined where the annotation is absent or not right, which `on` is told. */
export function numberOf(
  annotations: Readonly<Record<string, string>>,
  name: string,
  [least, most]: readonly [number, number],
  on: ObjectReport,
): number | undefined {
  const text = annotations[name]
  if (text === undefined) return undefined
  const value = /^[0-9]{1,10}$/.test(text) ? Number(text) : -1
  if (value >= least && value <= most) return value
  const message = `invalid number ${JSON.stringify(text)}, must be from ${least} to ${most}`
  on.error({ path: `metadata.annotations[${name}]`, message })
  return undefined
}
