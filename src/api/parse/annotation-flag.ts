import type { ObjectReport } from './objects.ts'

/** Whether the annotation says "true"; absent is false, and so is what is not right, which `on` is told. */
export function flagOf(annotations: Readonly<Record<string, string>>, name: string, on: ObjectReport): boolean {
  const text = annotations[name] ?? 'false'
  if (text !== 'true' && text !== 'false')
    on.error({
      path: `metadata.annotations[${name}]`,
      message: `invalid value ${JSON.stringify(text)}, must be "true" or "false"`,
    })
  return text === 'true'
}
