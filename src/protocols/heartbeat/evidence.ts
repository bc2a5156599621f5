import type { DirectEvidence } from '../../ports/index.ts'
import type { Peer } from './peer.ts'

/** What is known first hand. Nodes that never sent a packet are absent: nothing follows from their silence. */
export function evidenceOf(peers: ReadonlyMap<string, Peer>, self: string): Map<string, DirectEvidence> {
  const witnesses = new Map<string, string[]>([...peers.keys()].map(node => [node, []]))
  // A witness that is silent for a moment stands by what it said: after a stall of our own everybody is.
  const heard = [...peers.values()].filter(({ at }) => at === 'alive' || at === 'suspect')
  const present = new Set([self, ...heard.map(({ node }) => node)])
  const deaf = new Set(heard.filter(peer => isDeaf(peer, present)).map(({ node }) => node))
  for (const { node, silent } of heard)
    if (!deaf.has(node)) for (const missed of silent) witnesses.get(missed)?.push(node)
  return new Map(
    [...peers].map(([node, { at, joining, held, heardMs, interfaces }]) => [
      node,
      {
        ...{ at, joining, deaf: deaf.has(node), heardMs, interfaces, witnesses: witnesses.get(node)! },
        ...(held && { held }),
      },
    ]),
  )
}

/** It misses two that are heard here: its ears are bad, and its word against others counts for nothing. */
function isDeaf({ silent }: Peer, present: ReadonlySet<string>): boolean {
  return silent.filter(node => present.has(node)).length >= Math.min(2, present.size - 1)
}
