/** Labels and label selectors (meta/v1 LabelSelector), chapter 01 section 2.4. */

export type Labels = Readonly<Record<string, string>>

export interface SelectorRequirement {
  readonly key: string
  readonly operator: string
  readonly values?: readonly string[]
}

export interface LabelSelector {
  readonly matchLabels?: Labels
  readonly matchExpressions?: readonly SelectorRequirement[]
}

/** Whether the labels satisfy every part of the selector; an empty selector matches everything. */
export function selectorMatches(selector: LabelSelector, labels: Labels): boolean {
  const { matchLabels = {}, matchExpressions } = selector
  // The hottest loop of reading a large configuration: nothing is allocated.
  for (const key in matchLabels)
    if (Object.hasOwn(matchLabels, key) && !(Object.hasOwn(labels, key) && labels[key] === matchLabels[key]))
      return false
  return matchExpressions === undefined || matchExpressions.every(requirement => requirementHolds(requirement, labels))
}

/** Whether any of the selectors matches; an empty list matches nothing. */
export function anySelectorMatches(selectors: readonly LabelSelector[], labels: Labels): boolean {
  return selectors.some(selector => selectorMatches(selector, labels))
}

function requirementHolds({ key, operator, values = [] }: SelectorRequirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    default:
      return false // a configuration with another operator is refused before anything is matched
  }
}

/** The selector as kubectl writes it: `app=web,zone in (a,b),!old`; `{}` where it is empty. */
export function formatSelector(selector: LabelSelector): string {
  const labels = Object.entries(selector.matchLabels ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
  return [...labels, ...(selector.matchExpressions ?? []).map(formatRequirement)].join(',') || '{}'
}

/** One requirement as kubectl writes it; an unknown operator is shown as it is. */
export function formatRequirement({ key, operator, values = [] }: SelectorRequirement): string {
  if (operator === 'Exists' && values.length === 0) return key
  if (operator === 'DoesNotExist' && values.length === 0) return `!${key}`
  const words: Readonly<Record<string, string>> = { In: 'in', NotIn: 'notin' }
  return `${key} ${words[operator] ?? operator} (${values.join(',')})`
}

/** The longest value a label can have. */
const MAX_LABEL_VALUE = 63

/**
 * The name as a label value: itself, or, where it is longer than a label value may be, its beginning and a hash
 * (chapter 01, REF-BUG 19). The same name always gives the same value.
 */
export function labelValue(name: string): string {
  return shortenName(name, MAX_LABEL_VALUE)
}

/** The name, or its beginning and a hash where it is longer than `max`. */
export function shortenName(name: string, max: number): string {
  if (name.length <= max) return name
  return `${name.slice(0, max - 9)}-${fnv1a(name).toString(16).padStart(8, '0')}`
}

/** FNV-1a, 32 bits, over UTF-16 units. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0
  return hash
}
