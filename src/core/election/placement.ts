/** Owners of many addresses at once, so that no node has more than its share (IMP-5). Every speaker computes the same. */
import type { Hash } from './index.ts'

/** One address, or several that are only ever held together. */
export interface Placeable {
  /** Canonical text of the address; unique. */
  readonly key: string
  /** Nodes that may have it, none before another. */
  readonly candidates: readonly string[]
}

/**
 * Rendezvous hashing with bounded loads. The share of a node is what it had if each address were cut into equal parts for
 * its candidates; no node has more than the whole addresses in its share, plus one. Addresses come in the order of their
 * text, each to the candidate with the lowest hash that has room. Where no candidate has room, earlier addresses move on:
 * shares are a fractional solution, so a whole one exists. Those without candidates have no owner.
 */
export function placeBalanced(items: readonly Placeable[], hash: Hash): ReadonlyMap<string, string> {
  return new Placement(items, hash).owners
}

/** How many each node may have: the whole addresses in its share, plus one. */
export function placementLimits(items: readonly Placeable[]): ReadonlyMap<string, number> {
  return new Map([...sharesOf(items)].map(([node, share]) => [node, Math.floor(share + ROUNDING) + 1]))
}

class Placement {
  readonly owners = new Map<string, string>()
  readonly #room = new Map<string, number>()
  readonly #held = new Map<string, Placeable[]>()
  readonly #digests = new Map<string, number>()
  readonly #hash: Hash

  constructor(items: readonly Placeable[], hash: Hash) {
    this.#hash = hash
    for (const [node, limit] of placementLimits(items)) {
      this.#room.set(node, limit)
      this.#held.set(node, [])
    }
    const sorted = items.filter(({ candidates }) => candidates.length > 0).sort((a, b) => (a.key < b.key ? -1 : 1))
    for (const item of sorted) this.#place(item)
  }

  #place(item: Placeable): void {
    const node = this.#bestWithRoom(item)
    if (node === undefined) this.#moveOn(item)
    else this.#give(item, node)
  }

  #bestWithRoom({ key, candidates }: Placeable): string | undefined {
    let best: string | undefined
    let lowest = Number.POSITIVE_INFINITY
    const digest = this.#digest(key)
    for (const node of candidates) {
      if (this.#room.get(node) === 0) continue
      const rank = mix(digest, this.#digest(node))
      if (rank > lowest || (rank === lowest && node > best!)) continue
      lowest = rank
      best = node
    }
    return best
  }

  /** The shortest chain of moves to a node with room: an augmenting path, breadth first. */
  #moveOn(item: Placeable): void {
    const cameFrom = new Map<string, Placeable>([...item.candidates].sort().map(node => [node, item]))
    for (const node of cameFrom.keys())
      for (const held of this.#held.get(node)!) {
        const next = this.#bestWithRoom(held)
        if (next !== undefined) {
          this.#shift(held, next, cameFrom)
          return
        }
        for (const other of [...held.candidates].sort()) if (!cameFrom.has(other)) cameFrom.set(other, held)
      }
    throw new Error(`no room for ${item.key} although shares add up`)
  }

  /** The item goes to the node, what it leaves goes to who asked for it, and so on. */
  #shift(item: Placeable, node: string, cameFrom: ReadonlyMap<string, Placeable>): void {
    let moving = item
    let to = node
    for (;;) {
      const from = this.owners.get(moving.key)
      if (from !== undefined) this.#take(moving, from)
      this.#give(moving, to)
      if (from === undefined) return
      to = from
      moving = cameFrom.get(from)!
    }
  }

  #give(item: Placeable, node: string): void {
    this.owners.set(item.key, node)
    this.#held.get(node)!.push(item)
    this.#room.set(node, this.#room.get(node)! - 1)
  }

  #take(item: Placeable, node: string): void {
    const held = this.#held.get(node)!
    held.splice(held.indexOf(item), 1)
    this.#room.set(node, this.#room.get(node)! + 1)
  }

  /** The first four bytes of SHA-256: once for an address and once for a node, not once for each pair of them. */
  #digest(text: string): number {
    const known = this.#digests.get(text)
    if (known !== undefined) return known
    const bytes = this.#hash(text)
    const digest = ((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0
    this.#digests.set(text, digest)
    return digest
  }
}

/** Thirds add up to one only nearly. */
const ROUNDING = 1e-6

function sharesOf(items: readonly Placeable[]): Map<string, number> {
  const shares = new Map<string, number>()
  for (const { candidates } of items)
    for (const node of candidates) shares.set(node, (shares.get(node) ?? 0) + 1 / candidates.length)
  return shares
}

/** Finalizer of MurmurHash3 over both. */
function mix(a: number, b: number): number {
  let x = a ^ Math.imul(b, 0x9e3779b1)
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 0
}
