import type { DirectEvidence } from '../../ports/index.ts'
import type { ListedMember } from './memberlist.ts'

/** Why a node is counted, or is not. */
export type Standing =
  /** Memberlist holds it for alive or suspect, and nothing speaks against it. */
  | 'listed'
  /** Its speaker cannot announce yet. */
  | 'joining'
  /** It said itself, by heartbeat, that it stops. */
  | 'leaving'
  /** Silent towards this node and towards another one; of two speakers, towards this node and memberlist, or for long. */
  | 'silent'
  /** Silent towards this node alone: the path between them may be broken. */
  | 'unconfirmed'
  /** Its heartbeats stopped long ago, but memberlist's probes are answered: its heartbeat port may be filtered. */
  | 'contradicted'

export interface CombineInput {
  readonly self: string
  /** Alive and suspect nodes of memberlist. */
  readonly listed: ReadonlyMap<string, Pick<ListedMember, 'suspect' | 'joining' | 'heartbeats'>>
  readonly direct: ReadonlyMap<string, DirectEvidence>
  readonly nowMs: number
  /** Silence that memberlist contradicts counts for so long. */
  readonly trustMs: number
}

/**
 * Of two speakers neither has a second witness: there heartbeats that stopped count when memberlist's probe fails too, or
 * alone after this time, in which twenty questions stay without an answer.
 */
const ALONE_MS = 1000
/** Somebody who is heard and not listed, or silent and not given up, is looked at again. */
const REVIEW_MS = 500

/**
 * Which nodes count, and why. Memberlist says who is there; a node that does not send heartbeats, as reference speakers do
 * not, is judged by it alone. One that does is gone early when its heartbeats stopped here and one other node misses it too.
 */
export function combine({ self, listed, direct, nowMs, trustMs }: CombineInput): ReadonlyMap<string, Standing> {
  const standings = new Map<string, Standing>([[self, 'listed']])
  for (const [node, member] of listed) {
    if (node === self) continue
    const evidence = member.heartbeats ? direct.get(node) : undefined
    // Gossip reaches nearly everybody; who missed that a speaker can announce would do without it until the next push/pull.
    const isHeard = evidence?.at === 'alive' || evidence?.at === 'suspect'
    const joining = isHeard ? evidence.joining : member.joining
    if (joining) standings.set(node, 'joining')
    else if (evidence === undefined) standings.set(node, 'listed')
    else standings.set(node, standingOf(evidence, member.suspect, node, { listed, direct, nowMs, trustMs }))
  }
  return standings
}

function standingOf(
  { at, heardMs, witnesses }: DirectEvidence,
  suspect: boolean,
  node: string,
  { listed, direct, nowMs, trustMs }: Omit<CombineInput, 'self'>,
): Standing {
  const silentMs = nowMs - heardMs
  if (at === 'alive' || at === 'suspect') return 'listed'
  if (silentMs > trustMs && !suspect) return 'contradicted'
  if (at === 'left') return 'leaving'
  // Who left by plan is listed no more, and its word is good: the node must not count again because its witness stops.
  const isGood = (witness: string) => listed.has(witness) || direct.get(witness)?.at === 'left'
  if (witnesses.some(witness => witness !== node && isGood(witness))) return 'silent'
  const isOneOfTwo = listed.size === 2
  return isOneOfTwo && (suspect || silentMs >= ALONE_MS) ? 'silent' : 'unconfirmed'
}

/** Those who count in elections. */
export function counted(standings: ReadonlyMap<string, Standing>): Set<string> {
  const counts = (standing: Standing) =>
    standing === 'listed' || standing === 'unconfirmed' || standing === 'contradicted'
  return new Set([...standings].filter(([, standing]) => counts(standing)).map(([node]) => node))
}

/** In how many milliseconds the standings may be others although nothing happens; undefined where they will not. */
export function reviewMs({ listed, direct, nowMs, trustMs }: Omit<CombineInput, 'self'>): number | undefined {
  const times = [...direct].flatMap(([node, { at, heardMs }]) => {
    if (at === 'alive') return listed.has(node) ? [] : [REVIEW_MS]
    const ends = at === 'suspect' || !listed.has(node) ? [] : [heardMs + ALONE_MS, heardMs + trustMs + 1]
    return ends.map(end => end - nowMs).filter(ms => ms > 0)
  })
  return times.length === 0 ? undefined : Math.min(...times)
}
