/** The JSONPath of additionalPrinterColumns: `.spec.list[0].name`, `.a['b.c']`, `[*]`, `[?(@.type=="Ready")]`. */
import { isFields } from './object.ts'

type Step = (values: unknown[]) => unknown[]

const STEP =
  /^(?:\.?\[\?\(@\.([\w.]+)\s*==\s*["']([^"']*)["']\)\]|\.?\[['"]([^'"]+)['"]\]|\[(\*|-?\d+)\]|\.((?:[\w-]|\\.)+))/

/** Throws where the path cannot be read. Answers what it finds in an object, in order. */
export function jsonPath(path: string): (object: unknown) => unknown[] {
  const steps: Step[] = []
  let rest = path.startsWith('.') || path.startsWith('[') ? path : `.${path}`
  while (rest !== '') {
    const found = STEP.exec(rest)
    if (found === null) throw new Error(`cannot read JSONPath ${path} at ${rest}`)
    steps.push(stepOf(found))
    rest = rest.slice(found[0].length)
  }
  return object => steps.reduce((values, step) => step(values), [object] as unknown[])
}

function stepOf([, filterPath, wanted, quoted, index, name]: RegExpExecArray): Step {
  if (filterPath !== undefined) {
    const inner = jsonPath(filterPath)
    return values => values.flatMap(itemsOf).filter(item => inner(item).some(value => String(value) === wanted))
  }
  if (index === '*') return values => values.flatMap(itemsOf)
  if (index !== undefined) return values => values.flatMap(value => itemsOf(value).slice(Number(index)).slice(0, 1))
  const key = quoted ?? name!.replace(/\\(.)/g, '$1')
  return values => values.flatMap(value => (isFields(value) && value[key] !== undefined ? [value[key]] : []))
}

function itemsOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value
  return isFields(value) ? Object.values(value) : []
}
