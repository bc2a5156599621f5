/** The majority rule (IMP-6): who sees the smaller part of the speakers announces nothing by layer 2. */
import type { PodResource } from '../../api/kubernetes/index.ts'
import type { Minority } from '../../core/plan/index.ts'
import type { Informer } from '../../ports/index.ts'
import type { Standing } from './standing.ts'

/**
 * Undefined where the seen are more than half of all, or half of them and the node of the lowest name among them: of two
 * equal parts one goes on, and both know which. Names are compared as strings.
 */
export function minorityOf(expected: Iterable<string>, seen: ReadonlySet<string>): Minority | undefined {
  const all = [...new Set([...expected, ...seen])].sort()
  const twice = 2 * seen.size
  if (twice > all.length || (twice === all.length && seen.has(all[0]!))) return undefined
  return { seen: seen.size, expected: all.length }
}

/** Nodes that are reached, this one included. Who is silent towards this node alone is not: doubt keeps quiet. */
export function seenOf(standings: ReadonlyMap<string, Standing>): Set<string> {
  const isSeen = (standing: Standing) => standing === 'listed' || standing === 'joining' || standing === 'contradicted'
  return new Set([...standings].filter(([, standing]) => isSeen(standing)).map(([node]) => node))
}

/** Nodes that a speaker is meant to run on: those of all its pods, as last seen where the API is away. */
export class Majority {
  readonly #pods: Informer<PodResource>

  constructor(pods: Informer<PodResource>) {
    this.#pods = pods
  }

  judge(standings: ReadonlyMap<string, Standing>): Minority | undefined {
    return minorityOf(expectedOf(this.#pods.list()), seenOf(standings))
  }

  /** Called when other nodes may be meant. */
  subscribe(listener: () => void): () => void {
    return this.#pods.subscribe(listener)
  }
}

/** A pod that ended is followed by another one on the same node, or its node is gone. */
function expectedOf(pods: readonly PodResource[]): string[] {
  return pods.flatMap(({ spec, status }) => {
    const ended = status?.phase === 'Succeeded' || status?.phase === 'Failed'
    return ended || !spec?.nodeName ? [] : [spec.nodeName]
  })
}
