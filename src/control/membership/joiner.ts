import { type Address, formatAddress, parseAddress } from '../../core/ip/index.ts'
import type { Clock, Logger, Random, Timer } from '../../ports/index.ts'

export interface JoinerOptions {
  readonly own: Address
  /** Between our own speakers a join takes milliseconds. */
  readonly fast: boolean
  /** What a join may take where it is not fast. */
  readonly timeoutMs: number
  /** Addresses of members. */
  readonly present: () => ReadonlySet<string>
  /** Exchanges everything with the node there; rejects where that failed. */
  readonly join: (address: Address, withinMs: number) => Promise<void>
  /** The first join ended, or its time was up. */
  readonly joined: () => void
  /** So many could not be joined in a round. */
  readonly failed: (count: number) => void
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/** Without any discovery the first join is given up for the start (IMP-1). */
const DISCOVERY_MS = 5000
/** Speakers that are no members are joined again after this time, and complained about more rarely. */
const REJOIN_MS = { fast: 1000, usual: 5000 }
/** A healed partition is not waited for longer than this. */
const FAST_JOIN_MS = 1500
const COMPLAIN_EVERY_MS = 60_000
/** Joins at the same time. */
const AT_ONCE = 8
/** Who cannot be reached may be known to another one, who is asked in so many rounds, then in each tenth. */
const ASK_ROUNDS = 10

/** Joins every known speaker that is no member (IMP-18), again and again: whoever was cut off is found again. */
export class Joiner {
  readonly #options: JoinerOptions
  /** Where speakers should be; undefined before the first discovery. */
  #addresses: ReadonlySet<string> | undefined
  #busy = false
  #again = false
  #complainedMs: number | undefined
  /** Those that could not be joined in the last round, and in how many rounds. */
  #unreached = { addresses: '', rounds: 0 }
  #timer: Timer | undefined
  readonly #limit: Timer
  #stopped = false

  constructor(options: JoinerOptions) {
    this.#options = options
    this.#limit = options.clock.after(DISCOVERY_MS, () => options.joined())
  }

  stop(): void {
    this.#stopped = true
    for (const timer of [this.#timer, this.#limit]) timer?.cancel()
  }

  /** Whether a speaker should be at the address. */
  expects(address: string): boolean {
    return this.#addresses?.has(address) ?? false
  }

  discover(addresses: ReadonlySet<string>): void {
    const before = this.#addresses
    this.#addresses = addresses
    const fresh = [...addresses].some(address => !before?.has(address))
    if (before === undefined || fresh) void this.#round()
  }

  rejoin(): void {
    const msg = this.#busy ? 'previous discovery in progress - doing nothing' : 'triggering discovery'
    this.#options.log.debug({ op: 'memberDiscovery', msg })
    void this.#round()
  }

  /** One at a time. */
  async #round(): Promise<void> {
    if (this.#addresses === undefined || this.#stopped) return
    if (this.#busy) {
      this.#again = true
      return
    }
    this.#busy = true
    this.#timer?.cancel()
    const targets = this.#missing()
    const failures = await this.#joinAll(targets)
    await this.#askAnother(targets)
    this.#busy = false
    if (this.#stopped) return
    if (failures.length > 0) this.#options.failed(failures.length)
    if (targets.length > 0) this.#report(targets.length, failures)
    this.#limit.cancel()
    const { clock, fast, joined } = this.#options
    joined()
    const again = this.#again
    this.#again = false
    const pauseMs = fast ? REJOIN_MS.fast : REJOIN_MS.usual
    this.#timer = clock.after(again ? 0 : pauseMs, () => void this.#round())
  }

  #missing(): Address[] {
    const own = formatAddress(this.#options.own)
    const present = this.#options.present()
    const missing = [...(this.#addresses ?? [])].filter(address => address !== own && !present.has(address))
    return missing.map(parseAddress).filter(address => address !== undefined)
  }

  async #joinAll(targets: readonly Address[]): Promise<string[]> {
    const { present, join, fast, timeoutMs } = this.#options
    const failures: string[] = []
    const waiting = [...targets]
    const worker = async () => {
      for (let target = waiting.shift(); target !== undefined && !this.#stopped; target = waiting.shift()) {
        const text = formatAddress(target)
        if (present().has(text)) continue // known since from another one's answer
        const failed = (error: unknown) => void failures.push(`${text}: ${(error as Error).message}`)
        await join(target, fast ? FAST_JOIN_MS : timeoutMs).catch(failed)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
    return failures
  }

  /**
   * Where the path to a speaker is broken and its return was missed (gossip reaches nearly everybody), the others know of it;
   * without asking, the next exchange of everything is up to 30 s away.
   */
  async #askAnother(targets: readonly Address[]): Promise<void> {
    const { present, own, random, join, fast, timeoutMs } = this.#options
    const unreached = targets.map(formatAddress).filter(address => !present().has(address))
    const addresses = unreached.join()
    const rounds = addresses === this.#unreached.addresses ? this.#unreached.rounds + 1 : 1
    this.#unreached = { addresses, rounds }
    const others = [...present()].filter(address => address !== formatAddress(own))
    if (this.#stopped || unreached.length === 0 || others.length === 0) return
    if (rounds > ASK_ROUNDS && rounds % ASK_ROUNDS !== 0) return
    const address = parseAddress(others[Math.floor(random.next() * others.length)]!)!
    await join(address, fast ? FAST_JOIN_MS : timeoutMs).catch(() => {})
  }

  #report(expected: number, failures: readonly string[]): void {
    const { log, clock, present } = this.#options
    if (failures.length === 0) {
      this.#complainedMs = undefined
      const others = Math.max(0, present().size - 1)
      log.info({ op: 'Member detection', msg: 'memberlist join successfully', 'number of other nodes': others })
      return
    }
    const joined = expected - failures.length
    const fields = { op: 'memberDiscovery', msg: 'partial join', joined, expected, error: failures.join('; ') }
    const now = clock.monotonic()
    if (this.#complainedMs !== undefined && now - this.#complainedMs < COMPLAIN_EVERY_MS) {
      log.debug(fields)
      return
    }
    this.#complainedMs = now
    log.error(fields)
  }
}
