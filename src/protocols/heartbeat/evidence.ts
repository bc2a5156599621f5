import type { DirectEvidence } from '../../ports/index.ts'
import type { Peer } from './peer.ts'

/** What is known first hand. Nodes that never sent a packet are absent: nothing follows from their silence. */
export function evidenceOf(peers: ReadonlyMap<string, Peer>, self: string): Map<string, DirectEvidence> {
  // A witness that is silent for a moment stands by what it said: after a stall of our own everybody is.
  const heard = [...peers.values()].filter(({ at }) => at === 'alive' || at === 'suspect')
  const present = new Map(heard.map(({ node, presentMs }) => [node, presentMs]))
  present.set(self, Number.NEGATIVE_INFINITY)
  const deaf = new Set<string>()
  const witnesses = new Map<string, string[]>()
  for (const peer of heard)
    if (isDeaf(peer, present)) deaf.add(peer.node)
    else for (const missed of peer.silent) append(witnesses, missed, peer.node)
  for (const peer of peers.values())
    if (peer.at === 'left') for (const missed of lastWord(peer, peers)) append(witnesses, missed, peer.node)
  const evidence = new Map<string, DirectEvidence>()
  for (const [node, { at, joining, held, heardMs, interfaces }] of peers) {
    const said = { at, joining, heardMs, interfaces, ...(held && { held }) }
    evidence.set(node, { ...said, deaf: deaf.has(node), witnesses: witnesses.get(node) ?? [] })
  }
  return evidence
}

/** Whom a node that has left missed when it left, as long as they have not been heard since. */
function lastWord({ silent, heardMs }: Peer, peers: ReadonlyMap<string, Peer>): readonly string[] {
  return silent.filter(node => (peers.get(node)?.heardMs ?? heardMs) < heardMs)
}

function append(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
}

/** Who is back, as after a cut, is soon heard by all: so many intervals it may take until they do not miss it any more. */
const SOON = 2

/** It misses two that are heard here: its ears are bad, and its word against others counts for nothing. */
function isDeaf({ silent, heardMs, intervalMs }: Peer, present: ReadonlyMap<string, number>): boolean {
  const since = heardMs - SOON * intervalMs
  let missed = 0
  for (const node of silent) if ((present.get(node) ?? Number.POSITIVE_INFINITY) <= since) missed++
  return missed >= Math.min(2, present.size - 1)
}
