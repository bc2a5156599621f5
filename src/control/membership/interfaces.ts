import type { DirectEvidence } from '../../ports/index.ts'
import type { ListedMember } from './memberlist.ts'

/** Usable interfaces by node; a node that publishes none is absent (IMP-25). */
export type Published = ReadonlyMap<string, ReadonlySet<string>>

export interface PublishedInput {
  readonly self: string
  /** What this node publishes. */
  readonly own: readonly string[] | undefined
  readonly listed: ReadonlyMap<string, Pick<ListedMember, 'heartbeats' | 'interfaces'>>
  readonly direct: ReadonlyMap<string, DirectEvidence>
  /** Those who count. */
  readonly members: ReadonlySet<string>
}

/** Usable interfaces of those who publish them (IMP-25): a node that is heard says it first hand, before gossip does. */
export function published({ self, own, listed, direct, members }: PublishedInput): Published {
  const sets = [...members].flatMap((node): [string, ReadonlySet<string>][] => {
    const member = listed.get(node)
    const evidence = member?.heartbeats ? direct.get(node) : undefined
    const isHeard = evidence?.at === 'alive' || evidence?.at === 'suspect'
    const names = node === self ? own : isHeard ? evidence.interfaces : member?.interfaces
    return names === undefined ? [] : [[node, new Set(names)]]
  })
  return new Map(sets)
}

/** Nodes of which the two say something else. */
export function publishOther(before: Published, after: Published): string[] {
  const text = (sets: Published, node: string) => [...(sets.get(node) ?? ['/'])].join('/') // no name is a slash
  return [...new Set([...before.keys(), ...after.keys()])].filter(node => text(before, node) !== text(after, node))
}
