/** What the speakers say of themselves: their decisions count more than ours, and what they see helps with the others. */
import type { BgpNodeExplanation, World } from '../../core/plan/index.ts'
import type { SpeakerVerdict, SpeakerView } from '../announce/index.ts'
import type { ConfigStanding } from '../config/index.ts'

/** The answer of one speaker about one Service. */
export interface ServiceView {
  readonly node: string
  readonly speaker: SpeakerView
  readonly configuration: ConfigStanding
  /** Absent where it has not heard of the Service. */
  readonly verdict?: SpeakerVerdict
  /** With the peers that are told of the Service. */
  readonly sessions: readonly SessionView[]
}

export interface SessionView {
  readonly peer: string
  /** As in RFC 4271 section 8.2.2. */
  readonly state: string
  /** Why it is not established. */
  readonly why?: string
  /** Prefixes of the Service that the peer cannot be told of, and why. */
  readonly notSent: readonly string[]
}

export interface Answers {
  /** In name order of the nodes. */
  readonly views: readonly ServiceView[]
  /** Speakers that did not answer. */
  readonly silent: readonly { readonly node: string; readonly error: string }[]
}

export const NOT_ASKED: Answers = { views: [], silent: [] }

/** The world with what the speakers see of one another. Where they differ, that of who sees most counts. */
export function withViews(world: World, views: readonly ServiceView[]): World {
  const seen = (view: ServiceView) => view.speaker.members?.length ?? 0
  const deciding = views.filter(({ speaker }) => speaker.waiting === undefined)
  const [best] = [...deciding].sort((a, b) => seen(b) - seen(a))
  if (best === undefined) return world
  const { members, held, interfaces, options } = best.speaker
  const minorities = deciding.flatMap(({ node, speaker: { minority } }) =>
    minority ? [[node, minority] as const] : [],
  )
  return {
    ...world,
    options,
    members: members && new Set(members),
    held: new Set(held),
    interfaces: new Map(Object.entries(interfaces).map(([node, names]) => [node, new Set(names)])),
    minorities: new Map(minorities),
  }
}

interface Row {
  readonly node: string
}

/** Rows of nodes whose speaker answered are its own; those of others are worked out, and say so where any answered. */
export function withVerdicts<R extends Row>(
  rows: readonly R[],
  views: readonly ServiceView[],
  verdictOf: (verdict: SpeakerVerdict) => R,
): (R & { by: 'speaker' | 'computed' })[] {
  const said = new Map(views.flatMap(({ node, verdict }) => (verdict ? [[node, verdictOf(verdict)] as const] : [])))
  const nodes = [...new Set([...rows.map(({ node }) => node), ...said.keys()])].sort()
  return nodes.map(node => {
    const own = said.get(node)
    return own ? { ...own, by: 'speaker' } : { ...rows.find(row => row.node === node)!, by: 'computed' }
  })
}

/** Whether any router hears of the Service from the node, as far as its speaker told. */
export function isTold({ node, announces, prefixes }: BgpNodeExplanation, views: readonly ServiceView[]): boolean {
  const view = views.find(view => view.node === node)
  if (!announces || view === undefined) return announces
  return view.sessions.some(({ state, notSent }) => state === 'established' && notSent.length < prefixes.length)
}
