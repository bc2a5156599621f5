/** Label and field selectors in their query forms (apimachinery labels.Parse, fields.ParseSelector). */
import { badRequest } from './errors.ts'
import { type KubeJson, valueAt } from './object.ts'

export type Filter = (object: KubeJson) => boolean

/** A prefix and a name of at most 63 characters. */
export const LABEL_KEY = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/
/** At most 63 characters. */
export const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/

type Labels = Readonly<Record<string, string>>
type LabelTest = (labels: Labels) => boolean

/** Answers undefined for the empty selector; throws a 400 with the place for anything unreadable. */
export function labelFilter(text: string): Filter | undefined {
  const terms = splitTerms(text)
  if (terms.length === 0) return undefined
  const tests = terms.map(term => labelTest(term, text))
  return ({ metadata }) => tests.every(test => test(metadata.labels ?? {}))
}

/** Splits at commas outside parentheses. */
function splitTerms(text: string): string[] {
  if (text.trim() === '') return []
  return text.split(/,(?![^(]*\))/).map(term => term.trim())
}

function labelTest(term: string, whole: string): LabelTest {
  const refuse = (why: string) => badRequest(`unable to parse requirement: ${why} (in label selector "${whole}")`)
  const set = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(term)
  if (set !== null) {
    const values = set[3]!.split(',').map(value => value.trim())
    checkLabel(set[1]!, values, refuse)
    return set[2] === 'in' ? isIn(set[1]!, values) : labels => !isIn(set[1]!, values)(labels)
  }
  const compared = /^([^=!<>\s]+)\s*(==|=|!=|>|<)\s*(\S*)$/.exec(term)
  if (compared !== null) return comparison(compared[1]!, compared[2]!, compared[3]!, refuse)
  const exists = /^(!?)\s*([^\s!=<>()]+)$/.exec(term)
  if (exists === null) throw refuse(`found '${term}', expected: a key, an operator and values`)
  checkLabel(exists[2]!, [], refuse)
  const key = exists[2]!
  return exists[1] === '!' ? labels => !Object.hasOwn(labels, key) : labels => Object.hasOwn(labels, key)
}

function comparison(key: string, operator: string, value: string, refuse: (why: string) => Error): LabelTest {
  checkLabel(key, [value], refuse)
  if (operator === '>' || operator === '<') {
    if (!/^-?\d+$/.test(value)) throw refuse(`for 'Gt', 'Lt' operators, the value must be an integer, not "${value}"`)
    const sign = operator === '>' ? 1 : -1
    return labels => /^-?\d+$/.test(labels[key] ?? '') && (Number(labels[key]) - Number(value)) * sign > 0
  }
  return operator === '!=' ? labels => labels[key] !== value : isIn(key, [value])
}

function isIn(key: string, values: string[]): LabelTest {
  return labels => Object.hasOwn(labels, key) && values.includes(labels[key]!)
}

function checkLabel(key: string, values: string[], refuse: (why: string) => Error): void {
  if (!LABEL_KEY.test(key))
    throw refuse(`key: Invalid value: "${key}": name part must consist of alphanumeric characters`)
  for (const value of values) if (!LABEL_VALUE.test(value)) throw refuse(`values[0][${key}]: Invalid value: "${value}"`)
}

/** Paths a kind can be selected by, beside metadata.name and metadata.namespace. */
export function fieldFilter(text: string, selectable: readonly string[]): Filter | undefined {
  const terms = text.split(',').filter(term => term !== '')
  if (terms.length === 0) return undefined
  const tests = terms.map(term => fieldTest(term, ['metadata.name', 'metadata.namespace', ...selectable]))
  return object => tests.every(test => test(object))
}

function fieldTest(term: string, selectable: readonly string[]): Filter {
  const parts = /^([^=!]+)(==|=|!=)(.*)$/.exec(term)
  if (parts === null) throw badRequest(`invalid selector: '${term}'; can't understand '${term}'`)
  const [, path, operator, wanted] = parts as unknown as [string, string, string, string]
  if (!selectable.includes(path)) throw badRequest(`field label not supported: ${path}`)
  const value = wanted.replace(/\\([\\,=])/g, '$1')
  return object => (String(valueAt(object, path) ?? '') === value) === (operator !== '!=')
}
