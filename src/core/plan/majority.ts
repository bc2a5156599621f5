import type { Reason } from '../reason.ts'

/** How few speakers a node sees: too few to be sure that the others are gone and not merely out of reach. */
export interface Minority {
  /** Speakers reached, the own included. */
  readonly seen: number
  /** Speakers that should run. */
  readonly expected: number
}

/** Why a node that should answer does not (IMP-6, `--require-majority`). */
export function inMinority(node: string, { seen, expected }: Minority): Reason {
  const message = `node ${node} sees ${seen} of ${expected} speakers, no majority: the others may answer for the service`
  return { code: 'minorityPartition', message }
}
