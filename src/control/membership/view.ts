/** What this speaker makes of the others: all that is known goes in, each rule is a function in a file of its own. */
import type { Minority } from '../../core/plan/index.ts'
import type { DirectEvidence, MemberEvent } from '../../ports/index.ts'
import { heldOf } from './hold-down.ts'
import { type Published, published, publishOther } from './interfaces.ts'
import type { Majority } from './majority.ts'
import type { ListedMember } from './memberlist.ts'
import { endsOf, retirement } from './retirement.ts'
import { combine, counted, reviewMs, type Standing } from './standing.ts'

export interface Known {
  readonly self: string
  /** Interfaces that this node publishes. */
  readonly own: readonly string[] | undefined
  /** Alive and suspect nodes of memberlist, and those it holds for gone. */
  readonly listed: ReadonlyMap<string, ListedMember>
  readonly gone: ReadonlyMap<string, 'left' | 'dead'>
  readonly direct: ReadonlyMap<string, DirectEvidence>
  /** Monotonic. */
  readonly nowMs: number
  /** Silence that memberlist contradicts counts for so long. */
  readonly trustMs: number
  /** Nodes that left by plan count as retired for so long. */
  readonly retireMs: number
  /** Absent where a minority goes on announcing. */
  readonly majority?: Pick<Majority, 'judge'> | undefined
}

export interface View {
  readonly listed: ReadonlyMap<string, ListedMember>
  readonly standings: ReadonlyMap<string, Standing>
  /** Those who count in elections. */
  readonly members: ReadonlySet<string>
  readonly interfaces: Published
  readonly held: ReadonlySet<string>
  readonly retired: ReadonlyMap<string, number>
  readonly minority?: Minority | undefined
}

export function firstView(self: string): View {
  const standings = new Map<string, Standing>([[self, 'listed']])
  const nothing = { listed: new Map(), interfaces: new Map(), held: new Set<string>(), retired: new Map() }
  return { ...nothing, standings, members: counted(standings) }
}

export function viewOf(known: Known, before: View): View {
  const { listed, direct, nowMs, retireMs, majority } = known
  const standings = combine(known)
  const members = counted(standings)
  const lives = { before: before.retired, was: before.members, is: members }
  return {
    ...{ listed, standings, members },
    interfaces: published({ ...known, members }),
    held: heldOf(listed, direct),
    retired: retirement({ ...lives, ...endsOf(known), nowMs, limitMs: retireMs }),
    minority: majority?.judge(standings),
  }
}

/** In how many milliseconds the view may be another although nothing happens; undefined where it will not. */
export function lookAgainMs(known: Known, { retired }: View): number | undefined {
  const ends = [...retired.values()].map(since => since + known.retireMs - known.nowMs)
  const review = reviewMs(known)
  if (review !== undefined) ends.push(review)
  return ends.length === 0 ? undefined : Math.min(...ends)
}

/** What elections may decide otherwise now: one event a node. What this node says of itself is told elsewhere. */
export function changesOf(before: View, after: View, self: string): MemberEvent[] {
  const eventOf = (kind: MemberEvent['kind']) => (node: string) => {
    const { address = '' } = after.listed.get(node) ?? before.listed.get(node) ?? {}
    return { kind, node, address }
  }
  const joined = [...after.members].filter(node => !before.members.has(node))
  const left = [...before.members].filter(node => !after.members.has(node))
  const updated = new Set([
    ...publishOther(before.interfaces, after.interfaces),
    ...inOneOnly(before.held, after.held),
    ...inOneOnly(new Set(before.retired.keys()), new Set(after.retired.keys())),
  ])
  for (const node of [...joined, ...left, self]) updated.delete(node)
  return [
    ...joined.map(eventOf('NodeJoin')),
    ...left.map(eventOf('NodeLeave')),
    ...[...updated].map(eventOf('NodeUpdate')),
  ]
}

function inOneOnly(a: ReadonlySet<string>, b: ReadonlySet<string>): string[] {
  return [...new Set([...a, ...b])].filter(node => a.has(node) !== b.has(node))
}
