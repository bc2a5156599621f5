import type { DirectEvidence } from '../../ports/index.ts'
import type { Peer } from './peer.ts'

/** What is known first hand. Nodes that never sent a packet are absent: nothing follows from their silence. */
export function evidenceOf(peers: ReadonlyMap<string, Peer>): Map<string, DirectEvidence> {
  const witnesses = new Map<string, string[]>([...peers.keys()].map(node => [node, []]))
  for (const { node, at, silent } of peers.values())
    if (at === 'alive') for (const missed of silent) witnesses.get(missed)?.push(node)
  return new Map(
    [...peers].map(([node, { at, joining, heardMs, interfaces }]) => [
      node,
      { at, joining, heardMs, interfaces, witnesses: witnesses.get(node)! },
    ]),
  )
}
