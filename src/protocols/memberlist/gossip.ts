import type { Clock, Logger, Random, Timer } from '../../ports/index.ts'
import { pushPullScale } from './arithmetic.ts'
import type { MemberlistConfig } from './config.ts'
import { isPresent, type Member } from './member.ts'
import type { Members } from './members.ts'
import { shuffled } from './sample.ts'

export interface GossipOptions {
  readonly name: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly config: MemberlistConfig
  readonly members: Members
  /** Whether there is anything to say. */
  readonly hasNews: () => boolean
  /** Says it to one node; false where nothing is left. */
  readonly sendNews: (to: Member) => boolean
  /** Exchanges everything with one node. */
  readonly pushPull: (peer: Member) => Promise<void>
}

/** How news spreads: to a few nodes each interval, and now and then everything with one of them (section 4.9 of chapter 03). */
export class Gossip {
  readonly #options: GossipOptions
  readonly #timers = new Map<'gossip' | 'push/pull', Timer>()
  #stopped = false

  constructor(options: GossipOptions) {
    this.#options = options
  }

  start(): void {
    const { random, config } = this.#options
    this.#gossipLater()
    if (config.pushPullIntervalMs > 0) this.#pushPullLater(random.next() * config.pushPullIntervalMs, true)
  }

  stop(): void {
    this.#stopped = true
    for (const timer of this.#timers.values()) timer.cancel()
  }

  #gossipLater(): void {
    const { clock, config } = this.#options
    const again = () => {
      this.#gossipLater()
      this.#gossip()
    }
    this.#timers.set('gossip', clock.after(config.gossipIntervalMs, again))
  }

  #gossip(): void {
    const { config, clock, random, hasNews, sendNews } = this.#options
    if (!hasNews()) return
    const recent = clock.monotonic() - config.gossipToTheDeadMs
    const others = this.#others(member => isPresent(member) || (member.state === 'dead' && member.sinceMs >= recent))
    for (const peer of shuffled(others, random).slice(0, config.gossipNodes)) if (!sendNews(peer)) return
  }

  /** The first one is only a start that no other node shares. */
  #pushPullLater(ms: number, first = false): void {
    const { clock, config, members } = this.#options
    const again = () => {
      this.#pushPullLater(config.pushPullIntervalMs * pushPullScale(members.size))
      if (!first) this.#pushPull()
    }
    this.#timers.set('push/pull', clock.after(ms, again))
  }

  #pushPull(): void {
    const { random, log, pushPull } = this.#options
    const [peer] = shuffled(
      this.#others(({ state }) => state === 'alive'),
      random,
    )
    if (peer === undefined) return
    pushPull(peer).catch(error => {
      if (!this.#stopped)
        log.error({ msg: `memberlist: Push/Pull with ${peer.name} failed: ${(error as Error).message}` })
    })
  }

  #others(wanted: (member: Member) => boolean): Member[] {
    const { members, name } = this.#options
    return members.all().filter(member => member.name !== name && wanted(member))
  }
}
