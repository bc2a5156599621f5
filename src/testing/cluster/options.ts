/** What a simulated cluster is like. */
export interface ClusterOptions {
  readonly seed: number
  readonly speakers: number
  readonly addresses?: number
  /** So many of them, every second one from the first, are the reference's; default none. */
  readonly references?: number
  /** The majority rule is on (IMP-6). */
  readonly majority?: boolean
  /** Interfaces that the advertisement names (IMP-25); every node has them. Default: it names none. */
  readonly interfaces?: readonly string[]
  /** Addresses are placed so that no node has more than its share and one (IMP-5). */
  readonly balanced?: boolean
  /** How long who comes back leaves addresses where they are (IMP-4). */
  readonly holdDownMs?: number
  /** The longest gap that speakers may have learned to bear when something happens; default what loss and stalls make. */
  readonly learnedMs?: number
}
