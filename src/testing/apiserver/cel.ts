/** CEL rules of custom resources (x-kubernetes-validations): compiled once, asked about every value they stand at. */
import { Environment } from '@marcbachmann/cel-js'
import { parseAddress, parsePrefix } from '../../core/ip/index.ts'
import { type Cause, invalidValue } from './errors.ts'
import { type Fields, isFields } from './object.ts'
import { childSchema, type Schema, type ValidationRule } from './schema.ts'

type Rule = (context: Fields) => unknown

const environment = new Environment({
  unlistedVariablesAreDyn: true,
  homogeneousAggregateLiterals: false,
  enableOptionalTypes: true,
})
  .registerFunction('isIP(string): bool', (text: string) => parseAddress(text) !== undefined)
  .registerFunction('isCIDR(string): bool', (text: string) => parsePrefix(text) !== undefined)
  .registerFunction('list.sum(): dyn', (list: bigint[]) => list.reduce((sum, value) => sum + value, 0n))

const compiled = new Map<string, Rule>()

/** Throws where the expression cannot be read. */
function compile(expression: string): Rule {
  const known = compiled.get(expression)
  if (known !== undefined) return known
  const rule = environment.parse(expression) as Rule
  compiled.set(expression, rule)
  return rule
}

/** The rules of a schema that cannot be read. */
export function brokenRules(schema: Schema, path: string): Cause[] {
  const own = (schema['x-kubernetes-validations'] ?? []).flatMap(({ rule }, index) => {
    const why = complaint(() => compile(rule))
    const field = `${path}.x-kubernetes-validations[${index}].rule`
    return why === undefined ? [] : [invalidValue(field, rule, `compilation failed: ${why}`)]
  })
  return [...own, ...innerSchemas(schema, path).flatMap(([inner, at]) => brokenRules(inner, at))]
}

function innerSchemas({ properties = {}, items, additionalProperties }: Schema, path: string): [Schema, string][] {
  const all = Object.entries(properties).map(([name, inner]): [Schema, string] => [
    inner,
    `${path}.properties[${name}]`,
  ])
  if (items !== undefined) all.push([items, `${path}.items`])
  if (typeof additionalProperties === 'object') all.push([additionalProperties, `${path}.additionalProperties`])
  return all
}

function complaint(attempt: () => void): string | undefined {
  try {
    attempt()
    return undefined
  } catch (error) {
    return firstLine(error)
  }
}

const firstLine = (error: unknown) => (error as Error).message.split('\n')[0]!

/**
 * What the rules of the schema and of the schemas below say against a value that is of the schema's form. `before` is
 * the value that it replaces: rules that mention `oldSelf` are asked only where there is one.
 */
export function checkRules(value: unknown, before: unknown, schema: Schema, path = ''): Cause[] {
  if (value === null || value === undefined) return []
  const rules = schema['x-kubernetes-validations'] ?? []
  const own = rules.flatMap(rule => checkRule(rule, value, before, schema, path))
  return [...own, ...parts(value, before, schema, path).flatMap(part => checkRules(...part))]
}

type Part = Parameters<typeof checkRules>

function parts(value: unknown, before: unknown, schema: Schema, path: string): Part[] {
  const { items } = schema
  if (Array.isArray(value)) {
    if (items === undefined) return []
    return value.map((item, index): Part => [item, counterpart(item, before, schema), items, `${path}[${index}]`])
  }
  if (!isFields(value)) return []
  return Object.entries(value).flatMap(([name, part]): Part[] => {
    const child = childSchema(schema, name)
    if (child === undefined) return []
    const old = isFields(before) ? before[name] : undefined
    return [[part, old, child, joined(schema, path, name)]]
  })
}

function joined(schema: Schema, path: string, name: string): string {
  if (schema.properties?.[name] === undefined) return `${path}[${name}]`
  return path === '' ? name : `${path}.${name}`
}

/** Items of lists are known again by their keys; those of other lists than maps are not. */
function counterpart(item: unknown, before: unknown, schema: Schema): unknown {
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  if (schema['x-kubernetes-list-type'] !== 'map' || !Array.isArray(before) || !isFields(item)) return undefined
  return before.find(old => isFields(old) && keys.every(key => old[key] === item[key]))
}

function checkRule(rule: ValidationRule, value: unknown, before: unknown, schema: Schema, path: string): Cause[] {
  const transition = /\boldSelf\b/.test(rule.rule)
  if (transition && before === undefined && !rule.optionalOldSelf) return []
  const context: Fields = { self: celValue(value, schema) }
  if (before !== undefined) context.oldSelf = celValue(before, schema)
  const field = `${path}${rule.fieldPath ?? ''}`
  const about = rule.message ?? `failed rule: ${rule.rule}`
  try {
    if (compile(rule.rule)(context) === true) return []
    return [refusal(rule, field, schema, message(rule, context) ?? about)]
  } catch (error) {
    return [refusal(rule, field, schema, `${firstLine(error)} evaluating rule: ${rule.message ?? rule.rule}`)]
  }
}

/** A messageExpression that fails or says nothing leaves the place to `message`. */
function message({ messageExpression }: ValidationRule, context: Fields): string | undefined {
  if (messageExpression === undefined) return undefined
  try {
    const text = compile(messageExpression)(context)
    return typeof text === 'string' && text.trim() !== '' ? text : undefined
  } catch {
    return undefined
  }
}

/** As Kubernetes prints it: the type stands where other refusals show the value. */
function refusal(
  { reason = 'FieldValueInvalid' }: ValidationRule,
  field: string,
  { type }: Schema,
  why: string,
): Cause {
  if (reason === 'FieldValueForbidden') return { reason, field, message: `Forbidden: ${why}` }
  if (reason === 'FieldValueRequired') return { reason, field, message: `Required value: ${why}` }
  return { ...invalidValue(field, type, why), reason }
}

/** CEL knows integers apart from other numbers: they are bigint here. */
function celValue(value: unknown, schema: Schema | undefined): unknown {
  if (Array.isArray(value)) return value.map(item => celValue(item, schema?.items))
  if (isFields(value))
    return Object.fromEntries(
      Object.entries(value).map(([name, part]) => [name, celValue(part, schema && childSchema(schema, name))]),
    )
  if (typeof value !== 'number' || schema?.type === 'number') return value
  return Number.isInteger(value) ? BigInt(value) : value
}
