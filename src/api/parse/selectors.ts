/** Reports what is wrong with the selector fields of one object. */
import { firstDuplicate, selectorDuplicates, selectorErrors } from '../../core/config/rules/index.ts'
import { anySelectorMatches, formatSelector, type LabelSelector } from '../../core/labels.ts'
import type { ObjectReport } from './objects.ts'
import type { Labelled } from './snapshot.ts'

export interface SelectorField {
  /** Path of the list, e.g. `spec.nodeSelectors`. */
  readonly path: string
  readonly selectors: readonly LabelSelector[]
  /** The words before and after the selector in the message about one that cannot be used. */
  readonly invalid: readonly [before: string, after?: string]
  /** Put before every message. */
  readonly context?: string
}

/** Reports duplicates and selectors that cannot be used; answers the usable ones. */
export function checkSelectors(field: SelectorField, on: ObjectReport): LabelSelector[] {
  const { path, selectors, context = '' } = field
  const name = path.slice(path.lastIndexOf('.') + 1)
  for (const { message, ...rest } of selectorDuplicates(selectors, name))
    on.error({ ...rest, message: context + message, path: path + rest.path })
  return selectors.filter((selector, index) => checkSelector(field, selector, `${path}[${index}]`, on))
}

/** Reports a selector that cannot be used. */
export function checkSelector(
  { invalid: [before, after = ''], context = '' }: Pick<SelectorField, 'invalid' | 'context'>,
  selector: LabelSelector,
  path: string,
  on: ObjectReport,
): boolean {
  const errors = selectorErrors(selector)
  for (const { message, ...rest } of errors) {
    const shown = `${before} "${formatSelector(selector)}"${after}: ${message}`
    on.error({ ...rest, message: context + shown, path: path + rest.path })
  }
  return errors.length === 0
}

/** Reports a string that a list holds twice. */
export function checkUnique(list: readonly string[], path: string, field: string, on: ObjectReport): void {
  const twin = firstDuplicate(list)
  if (twin === undefined) return
  on.error({ path: `${path}[${twin.index}]`, message: `duplicate definition of ${field} "${twin.value}"` })
}

/** Names of what any selector matches; without selectors, of everything. */
export function selectedNames(selectors: readonly LabelSelector[] | undefined, from: readonly Labelled[]): Set<string> {
  const chosen = selectors?.length ? from.filter(({ labels }) => anySelectorMatches(selectors, labels)) : from
  return new Set(chosen.map(({ name }) => name))
}
