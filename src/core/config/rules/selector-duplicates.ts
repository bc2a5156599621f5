/** What is written twice in a list of selectors, chapter 01 section 2.4. */
import { formatRequirement, formatSelector, type LabelSelector, type SelectorRequirement } from '../../labels.ts'
import type { Finding } from '../problems.ts'
import { firstDuplicate } from './duplicates.ts'

/** `field` is the name of the list in the message; the order of values does not matter, that of expressions does. */
export function selectorDuplicates(selectors: readonly LabelSelector[], field: string): Finding[] {
  const findings: Finding[] = []
  for (const [index, { matchExpressions = [] }] of selectors.entries()) {
    for (const [at, { values = [] }] of matchExpressions.entries()) {
      const value = firstDuplicate(values)?.value
      if (value === undefined) continue
      const message = `duplicate definition of match expression value in label selector "${value}"`
      findings.push({ path: `[${index}].matchExpressions[${at}].values`, message })
    }
    const expressions = matchExpressions.map(sorted)
    const twin = firstDuplicate(expressions.map(requirement => JSON.stringify(requirement)))
    if (twin === undefined) continue
    const message = `duplicate definition of match expressions "${formatRequirement(expressions[twin.index]!)}"`
    findings.push({ path: `[${index}].matchExpressions[${twin.index}]`, message })
  }
  const normal = selectors.map(selector => ({ ...selector, matchExpressions: selector.matchExpressions?.map(sorted) }))
  const twin = firstDuplicate(normal.map(identity))
  if (twin !== undefined)
    findings.push({
      path: `[${twin.index}]`,
      message: `duplicate definition of ${field} "${formatSelector(normal[twin.index]!)}"`,
      hint: 'remove one of the two equal selectors',
    })
  return findings
}

function sorted({ key, operator, values = [] }: SelectorRequirement): SelectorRequirement {
  return { key, operator, values: [...values].sort() }
}

function identity({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string {
  return JSON.stringify([Object.entries(matchLabels).sort(([a], [b]) => (a < b ? -1 : 1)), matchExpressions])
}
