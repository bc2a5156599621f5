/** Which node answers for an address (chapter 03 section 1.9). Every speaker computes the same, with no word exchanged. */
import { type Address, formatAddress } from '../ip/index.ts'

/** SHA-256 of the UTF-8 text, 32 bytes. */
export type Hash = (text: string) => Uint8Array

/**
 * The candidates in order of claim: score descending, then SHA-256 of `node#address` ascending as unsigned bytes.
 * The address is hashed in its canonical text. The first is the owner; where it goes, the next takes over and nobody
 * else moves.
 */
export function electionOrder(
  candidates: Iterable<string>,
  address: Address,
  scores: ReadonlyMap<string, number>,
  hash: Hash,
): string[] {
  const text = formatAddress(address)
  return [...candidates]
    .map(node => ({ node, score: scores.get(node) ?? 0, digest: hash(`${node}#${text}`) }))
    .sort((a, b) => b.score - a.score || compareBytes(a.digest, b.digest))
    .map(({ node }) => node)
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let index = 0; index < a.length; index++) {
    const difference = a[index]! - b[index]!
    if (difference !== 0) return difference
  }
  return 0
}
