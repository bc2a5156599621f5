/** Structural schemas (apiextensions.k8s.io/v1): unknown fields found and pruned, defaults filled in, values checked. */
import { type Cause, duplicateValue, invalidValue, required, unsupportedValue } from './errors.ts'
import { type Fields, isFields } from './object.ts'

/** One of x-kubernetes-validations: a CEL expression over `self` and, on updates, `oldSelf`. */
export interface ValidationRule {
  rule: string
  message?: string
  messageExpression?: string
  reason?: string
  fieldPath?: string
  optionalOldSelf?: boolean
}

export interface Schema {
  type?: string
  description?: string
  format?: string
  properties?: Record<string, Schema>
  additionalProperties?: Schema | boolean
  items?: Schema
  required?: readonly string[]
  enum?: readonly unknown[]
  default?: unknown
  nullable?: boolean
  pattern?: string
  minimum?: number
  maximum?: number
  exclusiveMinimum?: boolean
  exclusiveMaximum?: boolean
  multipleOf?: number
  minLength?: number
  maxLength?: number
  minItems?: number
  maxItems?: number
  uniqueItems?: boolean
  minProperties?: number
  maxProperties?: number
  allOf?: readonly Schema[]
  anyOf?: readonly Schema[]
  oneOf?: readonly Schema[]
  not?: Schema
  'x-kubernetes-preserve-unknown-fields'?: boolean
  'x-kubernetes-int-or-string'?: boolean
  'x-kubernetes-embedded-resource'?: boolean
  'x-kubernetes-list-type'?: string
  'x-kubernetes-list-map-keys'?: readonly string[]
  'x-kubernetes-map-type'?: string
  'x-kubernetes-validations'?: readonly ValidationRule[]
}

const ALWAYS_KNOWN = new Set(['apiVersion', 'kind', 'metadata'])

/** A copy without the fields the schema does not name; their paths are added to `unknown`. */
export function prune(value: unknown, schema: Schema, unknown: string[], path = ''): unknown {
  if (Array.isArray(value)) {
    const { items } = schema
    return items === undefined ? value : value.map((item, index) => prune(item, items, unknown, `${path}[${index}]`))
  }
  if (!isFields(value)) return value
  const root = path === '' || schema['x-kubernetes-embedded-resource'] === true
  const kept: Fields = {}
  for (const [name, part] of Object.entries(value)) {
    const inner = path === '' ? name : `${path}.${name}`
    const child = childSchema(schema, name)
    if (child !== undefined && !(root && name === 'metadata')) kept[name] = prune(part, child, unknown, inner)
    else if ((root && ALWAYS_KNOWN.has(name)) || keepsUnknown(schema)) kept[name] = part
    else unknown.push(inner)
  }
  return kept
}

/** The schema of a field, by its name or as one of a map; undefined where the schema does not know it. */
export function childSchema(schema: Schema, name: string): Schema | undefined {
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, name)) return schema.properties[name]
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined
}

function keepsUnknown(schema: Schema): boolean {
  return schema['x-kubernetes-preserve-unknown-fields'] === true || schema.additionalProperties === true
}

/** Fills defaults in where a field is absent, or null without being nullable; other such nulls go. Changes the value. */
export function applyDefaults(value: unknown, schema: Schema): void {
  if (Array.isArray(value)) {
    if (schema.items !== undefined) for (const item of value) applyDefaults(item, schema.items)
    return
  }
  if (!isFields(value)) return
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    const absent = value[name] === undefined || (value[name] === null && child.nullable !== true)
    if (absent && child.default !== undefined) value[name] = structuredClone(child.default)
  }
  for (const [name, part] of Object.entries(value)) {
    const child = childSchema(schema, name)
    if (child === undefined) continue
    if (part === null && child.nullable !== true) delete value[name]
    else applyDefaults(part, child)
  }
}

/** Everything wrong with the value, worded as the API server words it. */
export function validate(value: unknown, schema: Schema, path = ''): Cause[] {
  if (value === null && schema.nullable === true) return []
  const wrongType = checkType(value, schema, path)
  if (wrongType !== undefined) return [wrongType]
  return [
    ...checkEnum(value, schema, path),
    ...checkScalar(value, schema, path),
    ...(Array.isArray(value) ? checkArray(value, schema, path) : []),
    ...(isFields(value) ? checkObject(value, schema, path) : []),
    ...checkCombined(value, schema, path),
  ]
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))) return 'integer'
  return typeof value
}

function checkType(value: unknown, schema: Schema, path: string): Cause | undefined {
  const actual = typeOf(value)
  if (schema['x-kubernetes-int-or-string'] === true) {
    if (actual === 'integer' || actual === 'string') return undefined
    return invalidValue(path, actual, `${path} in body must be of type integer or string: "${actual}"`)
  }
  const { type } = schema
  if (type === undefined || type === actual || (type === 'number' && actual === 'integer')) return undefined
  return invalidValue(path, actual, `${path} in body must be of type ${type}: "${actual}"`)
}

function checkEnum(value: unknown, schema: Schema, path: string): Cause[] {
  if (schema.enum === undefined || schema.enum.includes(value)) return []
  return [unsupportedValue(path, value, schema.enum)]
}

function checkScalar(value: unknown, schema: Schema, path: string): Cause[] {
  const wrong = (why: string) => [invalidValue(path, value, `${path} in body ${why}`)]
  if (typeof value === 'string') return checkString(value, schema, wrong)
  if (typeof value !== 'number' && typeof value !== 'bigint') return []
  const { minimum, maximum, multipleOf } = schema
  const [low, high] = INTEGER_BOUNDS[schema.format ?? ''] ?? []
  if (low !== undefined && (value < low || value > high!)) return wrong(`must be of format ${schema.format}`)
  if (minimum !== undefined && (schema.exclusiveMinimum ? value <= minimum : value < minimum))
    return wrong(`should be greater than ${schema.exclusiveMinimum ? '' : 'or equal to '}${minimum}`)
  if (maximum !== undefined && (schema.exclusiveMaximum ? value >= maximum : value > maximum))
    return wrong(`should be less than ${schema.exclusiveMaximum ? '' : 'or equal to '}${maximum}`)
  if (multipleOf !== undefined && Number(value) % multipleOf !== 0)
    return wrong(`should be a multiple of ${multipleOf}`)
  return []
}

const INTEGER_BOUNDS: Record<string, [bigint, bigint]> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
}

function checkString(value: string, schema: Schema, wrong: (why: string) => Cause[]): Cause[] {
  const length = [...value].length
  if (schema.minLength !== undefined && length < schema.minLength)
    return wrong(`should be at least ${schema.minLength} chars long`)
  if (schema.maxLength !== undefined && length > schema.maxLength)
    return wrong(`should be at most ${schema.maxLength} chars long`)
  if (schema.pattern !== undefined && !new RegExp(schema.pattern).test(value))
    return wrong(`should match '${schema.pattern}'`)
  if (schema.format === 'date-time' && Number.isNaN(Date.parse(value))) return wrong('must be of type date-time')
  return []
}

function checkArray(value: unknown[], schema: Schema, path: string): Cause[] {
  const causes: Cause[] = []
  const { minItems, maxItems, items } = schema
  if (minItems !== undefined && value.length < minItems)
    causes.push(invalidValue(path, value.length, `${path} in body should have at least ${minItems} items`))
  if (maxItems !== undefined && value.length > maxItems)
    causes.push({
      reason: 'FieldValueTooMany',
      field: path,
      message: `Too many: ${value.length}: must have at most ${maxItems} items`,
    })
  const inner = items === undefined ? [] : value.flatMap((item, index) => validate(item, items, `${path}[${index}]`))
  return [...causes, ...inner, ...checkUnique(value, schema, path)]
}

/** x-kubernetes-list-type set and map: no two items with the same value, or the same keys. */
function checkUnique(value: unknown[], schema: Schema, path: string): Cause[] {
  const type = schema['x-kubernetes-list-type']
  if (type !== 'set' && type !== 'map' && schema.uniqueItems !== true) return []
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const seen = new Set<string>()
  return value.flatMap((item, index) => {
    const key = type === 'map' && isFields(item) ? Object.fromEntries(keys.map(name => [name, item[name]])) : item
    const text = JSON.stringify(key)
    if (seen.has(text)) return [duplicateValue(`${path}[${index}]`, key)]
    seen.add(text)
    return []
  })
}

function checkObject(value: Fields, schema: Schema, path: string): Cause[] {
  const join = (name: string) => (path === '' ? name : `${path}.${name}`)
  const causes = (schema.required ?? []).filter(name => value[name] === undefined).map(name => required(join(name)))
  for (const [name, part] of Object.entries(value)) {
    if (path === '' && ALWAYS_KNOWN.has(name)) continue
    const child = childSchema(schema, name)
    if (child !== undefined && part !== undefined) causes.push(...validate(part, child, join(name)))
  }
  const count = Object.keys(value).length
  const { minProperties, maxProperties } = schema
  if (minProperties !== undefined && count < minProperties)
    causes.push(invalidValue(path, count, `${path} in body should have at least ${minProperties} properties`))
  if (maxProperties !== undefined && count > maxProperties)
    causes.push(invalidValue(path, count, `${path} in body should have at most ${maxProperties} properties`))
  return causes
}

function checkCombined(value: unknown, schema: Schema, path: string): Cause[] {
  const causes = (schema.allOf ?? []).flatMap(part => validate(value, part, path))
  const holds = (part: Schema) => validate(value, part, path).length === 0
  const refuse = (why: string) => causes.push(invalidValue(path, '', `"${path}" must ${why}`))
  if (schema.anyOf && !schema.anyOf.some(holds)) refuse('validate at least one schema (anyOf)')
  if (schema.oneOf && schema.oneOf.filter(holds).length !== 1) refuse('validate one and only one schema (oneOf)')
  if (schema.not && holds(schema.not)) refuse('not validate the schema (not)')
  return causes
}
