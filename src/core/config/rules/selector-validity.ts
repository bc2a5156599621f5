/** Whether a label selector can be used at all: operators, keys and values, chapter 01 section 2.4. */
import type { LabelSelector, SelectorRequirement } from '../../labels.ts'
import type { Finding } from '../problems.ts'

const NAME_TEXT =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const MAX_PREFIX = 253
const MAX_NAME = 63

/** Everything that keeps the selector from being used. */
export function selectorErrors(selector: LabelSelector): Finding[] {
  const labels = Object.entries(selector.matchLabels ?? {}).flatMap(([key, value]) =>
    [...keyErrors(key), ...valueErrors(value, key, 0)].map(message => ({ path: `.matchLabels[${key}]`, message })),
  )
  const expressions = (selector.matchExpressions ?? []).flatMap((requirement, index) =>
    requirementErrors(requirement).map(({ path, message }) => ({
      path: `.matchExpressions[${index}]${path}`,
      message,
      hint: path === '.operator' ? 'use In, NotIn, Exists or DoesNotExist' : undefined,
    })),
  )
  return [...labels, ...expressions]
}

function requirementErrors({ key, operator, values = [] }: SelectorRequirement): Finding[] {
  const findings: Finding[] = keyErrors(key).map(message => ({ path: '.key', message }))
  const wrong = operatorError(operator, values)
  if (wrong !== undefined) findings.push(wrong)
  for (const [index, value] of values.entries())
    for (const message of valueErrors(value, key, index)) findings.push({ path: `.values[${index}]`, message })
  return findings
}

function operatorError(operator: string, values: readonly string[]): Finding | undefined {
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (values.length > 0) return undefined
      return {
        path: '.values',
        message: "values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty",
      }
    case 'Exists':
    case 'DoesNotExist': {
      if (values.length === 0) return undefined
      const shown = JSON.stringify(values)
      return {
        path: '.values',
        message: `values: Invalid value: ${shown}: values set must be empty for exists and does not exist`,
      }
    }
    default:
      return { path: '.operator', message: `"${operator}" is not a valid label selector operator` }
  }
}

/** A qualified name: an optional DNS subdomain and `/`, then the name. */
function keyErrors(key: string): string[] {
  const invalid = (why: string) => `key: Invalid value: "${key}": ${why}`
  const parts = key.split('/')
  if (parts.length > 2) return [invalid("a qualified name has at most one '/' between its DNS subdomain and its name")]
  const errors: string[] = []
  const [prefix, name] = parts.length === 2 ? [parts[0]!, parts[1]!] : [undefined, parts[0]!]
  if (prefix !== undefined && (prefix.length > MAX_PREFIX || !SUBDOMAIN.test(prefix)))
    errors.push(invalid('prefix part must be a lowercase DNS subdomain of at most 253 characters'))
  if (name === '') errors.push(invalid('name part must be non-empty'))
  else if (name.length > MAX_NAME) errors.push(invalid('name part must be no more than 63 characters'))
  else if (!isLabelName(name)) errors.push(invalid(`name part ${NAME_TEXT}`))
  return errors
}

function valueErrors(value: string, key: string, index: number): string[] {
  const invalid = (why: string) => `values[${index}][${key}]: Invalid value: "${value}": ${why}`
  if (value.length > MAX_NAME) return [invalid('must be no more than 63 characters')]
  return value === '' || isLabelName(value) ? [] : [invalid(`a valid label must be an empty string or ${NAME_TEXT}`)]
}

function isLabelName(text: string): boolean {
  return /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/.test(text)
}
