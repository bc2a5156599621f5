import type { BfdProfile } from '../../core/config/index.ts'
import type { Liveness, LivenessChange, LivenessTarget, LivenessWatch } from '../../ports/index.ts'
import type { WatchedPeer } from './bfd-state.ts'
import { isSame } from './changes.ts'

/** Whom it concerns that the neighbor is there, or no more. */
export interface WatchEvents {
  found(): void
  lost(): void
}

/** The BFD session of a peer: it starts with the BGP session and outlives its flaps (chapter 04 section 5.8). */
export class PeerWatch {
  readonly #liveness: Liveness | undefined
  readonly #events: WatchEvents
  #profile: BfdProfile | undefined
  #watch: LivenessWatch | undefined
  #target: LivenessTarget | undefined

  constructor(liveness: Liveness | undefined, profile: BfdProfile | undefined, events: WatchEvents) {
    this.#liveness = liveness
    this.#profile = profile
    this.#events = events
  }

  /** Undefined where the peer has no BFD profile. */
  get watched(): WatchedPeer | undefined {
    if (this.#profile === undefined) return undefined
    const state = this.#watch?.state ?? 'down'
    return { profile: this.#profile, state, ...(this.#target && { target: this.#target }) }
  }

  /** Taken over in place; without a profile the session ends. */
  change(profile: BfdProfile | undefined): void {
    this.#profile = profile
    if (profile === undefined) this.close()
    else this.#watch?.change(profile)
  }

  /** As long as the path is the same, the session of before goes on. */
  follow(target: LivenessTarget): void {
    if (this.#liveness === undefined || this.#profile === undefined) return
    if (this.#watch !== undefined && isSame(this.#target, target)) return
    this.#watch?.close()
    this.#target = target
    this.#watch = this.#liveness.watch(target, this.#profile, change => this.#changed(change))
  }

  close(): void {
    this.#watch?.close()
    this.#watch = undefined
  }

  #changed({ before, state, cause }: LivenessChange): void {
    if (state === 'up') this.#events.found()
    else if (before !== 'up') return
    else if (cause === 'detectionTimeExpired' || cause === 'echoFailed' || cause === 'neighborDown') this.#events.lost()
  }
}
