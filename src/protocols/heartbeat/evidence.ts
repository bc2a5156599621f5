import type { DirectEvidence } from '../../ports/index.ts'
import type { Peer } from './peer.ts'

/** What is known first hand. Nodes that never sent a packet are absent: nothing follows from their silence. */
export function evidenceOf(peers: ReadonlyMap<string, Peer>, self: string): Map<string, DirectEvidence> {
  // A witness that is silent for a moment stands by what it said: after a stall of our own everybody is.
  const heard = [...peers.values()].filter(({ at }) => at === 'alive' || at === 'suspect')
  const present = new Set([self, ...heard.map(({ node }) => node)])
  const deaf = new Set<string>()
  const witnesses = new Map<string, string[]>()
  for (const { node, silent } of heard)
    if (isDeaf(silent, present)) deaf.add(node)
    else for (const missed of silent) append(witnesses, missed, node)
  const evidence = new Map<string, DirectEvidence>()
  for (const [node, { at, joining, held, heardMs, interfaces }] of peers) {
    const said = { at, joining, heardMs, interfaces, ...(held && { held }) }
    evidence.set(node, { ...said, deaf: deaf.has(node), witnesses: witnesses.get(node) ?? [] })
  }
  return evidence
}

function append(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
}

/** It misses two that are heard here: its ears are bad, and its word against others counts for nothing. */
function isDeaf(silent: readonly string[], present: ReadonlySet<string>): boolean {
  const most = Math.min(2, present.size - 1)
  let missed = 0
  for (const node of silent) if (present.has(node)) missed++
  return missed >= most
}
