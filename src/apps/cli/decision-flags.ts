/**
 * Flags of controller and speakers that change what they decide: predictions have to be told of them. What
 * `--require-majority` and `--hold-down` do depends on the moment and no prediction can know it: that is said.
 */
import { sha256 } from '../../adapters/system/hash.ts'
import type { ExplainOptions } from '../../control/explain/index.ts'

export const DECISION_OPTIONS = {
  'lb-class': { type: 'string', default: '' },
  'ignore-exclude-lb': { type: 'boolean', default: false },
  'balanced-placement': { type: 'boolean', default: false },
  'drain-cordoned': { type: 'boolean', default: false },
} as const

export const DECISION_FLAGS = '[--lb-class CLASS] [--ignore-exclude-lb] [--balanced-placement] [--drain-cordoned]'

export interface DecisionValues {
  readonly 'lb-class': string
  readonly 'ignore-exclude-lb': boolean
  readonly 'balanced-placement': boolean
  readonly 'drain-cordoned': boolean
}

export function decisionOptions(values: DecisionValues): ExplainOptions {
  return {
    hash: sha256,
    lbClass: values['lb-class'],
    ignoreExcludeLb: values['ignore-exclude-lb'],
    balanced: values['balanced-placement'],
    drainCordoned: values['drain-cordoned'],
  }
}
