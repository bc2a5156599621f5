/** Which node answers for an address (chapter 03 section 1.9). Every speaker computes the same, with no word exchanged. */
import { type Address, formatAddress } from '../ip/index.ts'

export { placeBalanced, placementLimits } from './placement.ts'

/** SHA-256 of the UTF-8 text, 32 bytes. */
export type Hash = (text: string) => Uint8Array

export interface Election {
  readonly candidates: ReadonlySet<string>
  /** Hashed in its canonical text. */
  readonly address: Address
  /** Score of a node; 0 where it is missing. */
  readonly scores: ReadonlyMap<string, number>
}

interface Claim {
  readonly node: string
  readonly score: number
  readonly digest: Uint8Array
}

/**
 * The candidates in order of claim: score descending, then SHA-256 of `node#address` ascending as unsigned bytes. The
 * first is the owner; where it goes, the next takes over and nobody else moves.
 */
export function electionOrder(election: Election, hash: Hash): string[] {
  return [...election.candidates]
    .map(node => claimOf(node, election, hash))
    .sort(compareClaims)
    .map(({ node }) => node)
}

/**
 * Whether the node is the first in that order. It looks no further than to a better one, so among many nodes it hashes
 * a handful: each speaker asks this for every address after every membership event.
 */
export function winsElection(node: string, election: Election, hash: Hash): boolean {
  if (!election.candidates.has(node)) return false
  const own = claimOf(node, election, hash)
  for (const other of election.candidates)
    if (other !== node && compareClaims(claimOf(other, election, hash), own) < 0) return false
  return true
}

function claimOf(node: string, { address, scores }: Election, hash: Hash): Claim {
  return { node, score: scores.get(node) ?? 0, digest: hash(`${node}#${formatAddress(address)}`) }
}

function compareClaims(a: Claim, b: Claim): number {
  return b.score - a.score || compareBytes(a.digest, b.digest)
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let index = 0; index < a.length; index++) {
    const difference = a[index]! - b[index]!
    if (difference !== 0) return difference
  }
  return 0
}

/** Those with the highest score. */
export function preferredCandidates({ candidates, scores }: Election): string[] {
  const scoreOf = (node: string) => scores.get(node) ?? 0
  const best = Math.max(...[...candidates].map(scoreOf))
  return [...candidates].filter(node => scoreOf(node) === best)
}
