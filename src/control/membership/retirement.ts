/** Which nodes left by plan: their speakers stopped, and nothing says that their kernels did. */
import type { DirectEvidence } from '../../ports/index.ts'

export interface RetirementInput {
  /** Nodes retired so far, and when: monotonic milliseconds. */
  readonly before: ReadonlyMap<string, number>
  /** Members that counted before, and that count now. */
  readonly was: ReadonlySet<string>
  readonly is: ReadonlySet<string>
  /** How the nodes that do not count any more went: they said so, or were given up. */
  readonly left: ReadonlySet<string>
  readonly dead: ReadonlySet<string>
  readonly nowMs: number
  /** After this long nothing is kept quiet for their sake any more; 0 for never. */
  readonly limitMs: number
}

/**
 * A member that leaves retires; it is active again when it counts again, and is as good as dead when another life of it
 * ended otherwise or the limit is over.
 */
export function retirement({ before, was, is, left, dead, nowMs, limitMs }: RetirementInput): Map<string, number> {
  const retired = new Map(
    [...before].filter(([node, since]) => !is.has(node) && !dead.has(node) && nowMs - since < limitMs),
  )
  if (limitMs === 0) return retired
  for (const node of was) if (!is.has(node) && left.has(node) && !dead.has(node)) retired.set(node, nowMs)
  return retired
}

/** How nodes went: the last word of heartbeats, where they sent any, before memberlist's. */
export function endsOf({
  gone,
  direct,
}: {
  readonly gone: ReadonlyMap<string, 'left' | 'dead'>
  readonly direct: ReadonlyMap<string, DirectEvidence>
}): Pick<RetirementInput, 'left' | 'dead'> {
  const ends = new Map<string, string>(gone)
  for (const [node, { at }] of direct) if (at === 'left' || at === 'dead') ends.set(node, at)
  const those = (how: string) => new Set([...ends].filter(([, at]) => at === how).map(([node]) => node))
  return { left: those('left'), dead: those('dead') }
}
