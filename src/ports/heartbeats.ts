/** What direct packets say about another node. */
export interface DirectEvidence {
  /** Suspect: silent for a moment. Dead: silent for too long. Left: said so. */
  readonly at: 'alive' | 'suspect' | 'dead' | 'left'
  /** It cannot announce yet. */
  readonly joining: boolean
  /** It leaves addresses to others for now (IMP-4). */
  readonly held?: boolean
  /** It is heard and misses others that are heard too. */
  readonly deaf: boolean
  /** Of the last packet, monotonic milliseconds; of an earlier one while the node is heard. */
  readonly heardMs: number
  /** Its usable interfaces; undefined where it publishes none. */
  readonly interfaces: readonly string[] | undefined
  /** Other nodes heard right now that miss it too. */
  readonly witnesses: readonly string[]
}

/** Direct packets between speakers, beside their membership: they notice early who is gone. */
export interface Heartbeats {
  start(): Promise<void>
  /** Says that this speaker leaves: others take over at once. */
  stop(): Promise<void>
  /** Nodes that never sent a packet are absent: nothing follows from their silence. */
  evidence(): ReadonlyMap<string, DirectEvidence>
  /** Called when the evidence says something else. */
  watch(watcher: () => void): void
  /** A packet to everybody now. */
  rejoin(): void
  /** This speaker can announce from now on. */
  activate(): void
  /** Usable interfaces of this node, undefined for none; a change reaches the others at once. */
  publish(interfaces: readonly string[] | undefined): void
  /** Whether this node leaves addresses to others for now; a change reaches them at once. */
  hold(held: boolean): void
}
