import type { Config } from '../../core/config/index.ts'
import type { Admitted, Announcement, Refusal, World } from '../../core/plan/index.ts'

/** What announces addresses to the network. The speaker decides when; BGP comes before layer 2 (chapter 03 section 1.5). */
export interface AnnounceProtocol {
  readonly name: 'bgp' | 'layer2'
  /** Before a pass: what follows from the configuration for other speakers. */
  prepare?(config: Config): void
  /** Decisions for one state of the world. */
  planner(world: World): AnnouncePlanner
  /** The Service is announced so from the next commit on. */
  setBalancer(service: string, announcement: Announcement): void
  deleteBalancer(service: string): void
  /** Makes the network follow. Rejects where it could not; the next commit tries again. */
  commit(): Promise<void>
  /** Something of its own changed and every Service must be looked at again. */
  subscribe(listener: () => void): () => void
  /** Withdraws everything and resolves when it is withdrawn. */
  stop(): Promise<void>
}

export interface AnnouncePlanner {
  /** How this node announces the Service, or why it does not. */
  shouldAnnounce(admitted: Admitted): Announcement | Refusal
}
