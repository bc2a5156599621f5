/** What server-side apply does to an object: the applied fields merged in, given-up fields taken out. */
import { isGranularList, isGranularMap, itemElement, type Path, partSchema } from './field-set.ts'
import { type Fields, isFields } from './object.ts'
import type { Schema } from './schema.ts'

/** Answers a copy; neither value is changed. */
export function mergeApplied(live: unknown, applied: unknown, schema: Schema): unknown {
  if (isGranularMap(applied, schema) && isFields(live)) {
    const result: Fields = { ...live }
    for (const [name, value] of Object.entries(applied))
      result[name] = mergeApplied(live[name], value, partSchema(schema, name))
    return result
  }
  if (isGranularList(applied, schema) && Array.isArray(live)) return mergeLists(live, applied, schema)
  return structuredClone(applied)
}

function mergeLists(live: readonly unknown[], applied: readonly unknown[], schema: Schema): unknown[] {
  const result = [...live]
  const places = new Map(result.map((item, index) => [itemElement(item, schema), index]))
  for (const item of applied) {
    const at = places.get(itemElement(item, schema))
    if (at === undefined) result.push(structuredClone(item))
    else result[at] = mergeApplied(result[at], item, schema.items ?? {})
  }
  return result
}

/** A copy without the field or item at the path, and without the maps and lists that are empty then. */
export function withoutPath(value: unknown, path: Path, schema: Schema): unknown {
  const [element, ...rest] = path
  if (element === undefined) return undefined
  if (element.startsWith('f:')) return isFields(value) ? withoutField(value, element.slice(2), rest, schema) : value
  if (!Array.isArray(value)) return value
  const kept = value.flatMap(item => {
    if (itemElement(item, schema) !== element) return [item]
    const left = rest.length === 0 ? undefined : withoutPath(item, rest, schema.items ?? {})
    return left === undefined ? [] : [left]
  })
  return kept.length === 0 ? undefined : kept
}

function withoutField(value: Fields, name: string, rest: Path, schema: Schema): unknown {
  if (value[name] === undefined) return value
  const result = { ...value }
  const left = withoutPath(value[name], rest, partSchema(schema, name))
  if (left === undefined) delete result[name]
  else result[name] = left
  return Object.keys(result).length === 0 ? undefined : result
}

/** True for a field that tells items of a list apart: it goes with its item only. */
export function isKeyField(path: Path): boolean {
  const [parent, field] = path.slice(-2)
  if (parent === undefined || field === undefined || !parent.startsWith('k:')) return false
  return Object.hasOwn(JSON.parse(parent.slice(2)) as Fields, field.slice(2))
}
