/**
 * Reads JSON by a structural schema: types, bounds and required fields of nested objects. The API server has checked all
 * this before, files and tests have not. What comes back is safe to use as the resource's type; unknown fields stay away.
 */
import type { Finding } from '../../core/config/index.ts'
import type { Schema } from '../schema.ts'

/** The value without nulls and unknown fields; every mismatch goes to `findings`. */
export function readShape(schema: Schema, value: unknown, path: string, findings: Finding[]): unknown {
  switch (schema.type) {
    case 'object':
      return readObject(schema, value, path, findings)
    case 'array':
      if (!Array.isArray(value)) return mismatch('a list', value, path, findings)
      if (value.length < (schema.minItems ?? 0))
        findings.push({ path, message: `must have at least ${schema.minItems} items` })
      return value.map((item, index) => readShape(schema.items!, item, `${path}[${index}]`, findings))
    case 'integer':
      return readInteger(schema, value, path, findings)
    default:
      return typeof value === schema.type ? value : mismatch(`a ${schema.type}`, value, path, findings)
  }
}

function readObject(schema: Schema, value: unknown, path: string, findings: Finding[]): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return mismatch('an object', value, path, findings)
  const fields = Object.entries(value).filter(([, field]) => field !== null && field !== undefined)
  if (schema.additionalProperties) return readMap(schema.additionalProperties, fields, path, findings)
  const given = new Map(fields)
  const read: [string, unknown][] = []
  for (const [name, known] of Object.entries(schema.properties ?? {})) {
    const at = `${path}.${name}`
    if (given.has(name)) read.push([name, readShape(known, given.get(name), at, findings)])
    else if (schema.required?.includes(name)) findings.push({ path: at, message: 'missing required value' })
  }
  return Object.fromEntries(read)
}

function readMap(schema: Schema, fields: [string, unknown][], path: string, findings: Finding[]): unknown {
  const sorted = fields.sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(
    sorted.map(([name, field]) => [name, readShape(schema, field, `${path}[${name}]`, findings)]),
  )
}

const BOUNDS = { int32: [-(2 ** 31), 2 ** 31 - 1], other: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER] } as const

function readInteger(schema: Schema, value: unknown, path: string, findings: Finding[]): unknown {
  const whole = typeof value === 'bigint' || Number.isInteger(value)
  if (!whole) return mismatch('a whole number', value, path, findings)
  const [lowest, highest] = BOUNDS[schema.format === 'int32' ? 'int32' : 'other']
  const { minimum = lowest, maximum = highest } = schema
  const number = value as number | bigint
  if (number >= minimum && number <= maximum) return Number(number)
  findings.push({ path, message: `invalid value ${number}, must be in ${minimum}-${maximum} range` })
  return undefined
}

function mismatch(wanted: string, value: unknown, path: string, findings: Finding[]): undefined {
  const given = value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`
  findings.push({ path, message: `must be ${wanted}, not ${given.replace('a object', 'an object')}` })
  return undefined
}
