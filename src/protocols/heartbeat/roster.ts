import type { DirectEvidence } from '../../ports/index.ts'
import { evidenceOf } from './evidence.ts'
import type { Heartbeat } from './packet.ts'
import { differs, heard, type Peer, silent } from './peer.ts'
import { FAST_TIMING, faded, learned, type Patience, patience, roundOf, stallMs, type Timing } from './timing.ts'

export interface RosterOptions {
  readonly node: string
  /** Random, 64 bits, not 0. */
  readonly boot: bigint
  /** Packets carry an HMAC: their sender is believed wherever it is. Otherwise only discovered addresses are. */
  readonly authenticated: boolean
  readonly timing?: Timing
  /** Peers remembered at most, beyond the discovered ones. */
  readonly maxPeers?: number
}

export type Effect =
  | { readonly kind: 'send'; readonly to: string; readonly packet: Heartbeat }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly node: string; readonly from: string }

/** OWN_NAME: another speaker runs under this node's name. */
export type RefusalCode = 'OWN_NAME' | 'UNKNOWN_SOURCE' | 'REPLAYED' | 'TOO_MANY_PEERS'

/** Who is there: no sockets and no timers, the driver gives it packets and ticks and performs the effects. */
export class Roster {
  readonly #options: Required<RosterOptions>
  readonly #peers = new Map<string, Peer>()
  #discovered: ReadonlySet<string> = new Set()
  #interfaces: readonly string[] | undefined
  /** Discovered ones and those of peers; made when it is asked for. */
  #addresses: ReadonlySet<string> | undefined
  #sequence = 0
  #joining = true
  #held = false
  #changes = 0
  /** Of the round in which everybody gets a packet. */
  #part = 0
  #nextPartMs: number
  #nextQuestionMs = Number.POSITIVE_INFINITY
  /** News for everybody is due; never twice within half an interval. */
  #newsMs = Number.POSITIVE_INFINITY
  #toldMs = Number.NEGATIVE_INFINITY
  #nextMs: number
  /** The longest stall of this node of late, and when it was. */
  #stall = { ms: 0, atMs: 0 }

  constructor(options: RosterOptions, nowMs: number) {
    this.#options = { timing: FAST_TIMING, maxPeers: 1024, ...options }
    this.#nextPartMs = nowMs
    this.#nextMs = nowMs
  }

  evidence(): Map<string, DirectEvidence> {
    return evidenceOf(this.#peers, this.#options.node)
  }

  /** Grows whenever the evidence says something else. */
  get changes(): number {
    return this.#changes
  }

  /** When `tick` is due, monotonic milliseconds. */
  get nextMs(): number {
    return Math.min(this.#nextMs, this.#newsMs)
  }

  /** Discovered, or a peer's. */
  knows(address: string): boolean {
    return this.#known.has(address)
  }

  /** Addresses where speakers should be, own ones excluded. New ones are greeted at once. */
  discover(addresses: ReadonlySet<string>): Effect[] {
    const fresh = [...addresses].filter(address => !this.#discovered.has(address))
    this.#discovered = addresses
    this.#addresses = undefined
    return fresh.map(address => this.#send(address, {}))
  }

  /** This node can announce from now on. */
  activate(): Effect[] {
    this.#joining = false
    return this.greetAll()
  }

  /** Usable interfaces; everybody is told at once. */
  publish(interfaces: readonly string[] | undefined): Effect[] {
    this.#interfaces = interfaces
    return this.greetAll()
  }

  /** Whether this node leaves addresses to others for now (IMP-4); everybody is told at once. */
  hold(held: boolean): Effect[] {
    this.#held = held
    return this.greetAll()
  }

  leave(): Effect[] {
    return this.greetAll({ leaving: true })
  }

  greetAll(flags: Partial<Heartbeat> = {}): Effect[] {
    return this.#greet([...this.#known], flags)
  }

  receive(packet: Heartbeat, from: string, nowMs: number): Effect[] {
    const { node, boot } = this.#options
    if (packet.node === node) return packet.boot === boot ? [] : [refused('OWN_NAME', packet, from)]
    if (!this.#options.authenticated && !this.#discovered.has(from)) return [refused('UNKNOWN_SOURCE', packet, from)]
    const before = this.#peers.get(packet.node)
    // A boot not seen before has to prove that it answers this boot of ours: an echo no recording can have.
    if (packet.boot !== before?.boot && packet.yourBoot !== boot)
      return packet.leaving ? [] : [this.#send(from, { yourBoot: packet.boot, respond: true })]
    if (before === undefined && this.#isFull(from)) return [refused('TOO_MANY_PEERS', packet, from)]
    const after = heard(before, packet, from, nowMs)
    if (after === undefined) return [refused('REPLAYED', packet, from)]
    const answer = packet.respond ? [this.#send(from, { yourBoot: packet.boot })] : []
    this.#replace(before, after)
    return answer
  }

  tick(nowMs: number): Effect[] {
    this.#holdOwnStall(nowMs)
    const verdictMs = this.#judgeAll(nowMs)
    const effects: Effect[] = []
    if (nowMs >= this.#newsMs) {
      this.#newsMs = Number.POSITIVE_INFINITY
      this.#toldMs = nowMs
      effects.push(...this.greetAll())
    } else if (nowMs >= this.#nextPartMs) effects.push(...this.#greetPart(nowMs))
    effects.push(...this.#ask(nowMs))
    this.#nextMs = Math.min(this.#nextPartMs, this.#nextQuestionMs, verdictMs)
    return effects
  }

  /** A tick that comes late says nothing about the peers: that time is not held against them. */
  #holdOwnStall(nowMs: number): void {
    const stall = stallMs(nowMs - this.nextMs, this.#options.timing)
    if (stall === 0) return
    this.#stall = { ms: learned(this.#stallMs(nowMs), stall), atMs: nowMs }
    for (const peer of this.#peers.values()) this.#peers.set(peer.node, { ...peer, heardMs: peer.heardMs + stall })
  }

  #stallMs(nowMs: number): number {
    return faded(this.#stall.ms, nowMs - this.#stall.atMs)
  }

  /** Answers when the next peer is silent for too long. */
  #judgeAll(nowMs: number): number {
    let verdictMs = Number.POSITIVE_INFINITY
    for (const peer of this.#peers.values()) {
      if (isOver(peer)) {
        this.#forget(peer, nowMs)
        continue
      }
      const limits = this.#patienceFor(peer, nowMs)
      const after = silent(peer, nowMs, limits)
      if (after !== peer) this.#judged(peer, after, nowMs)
      verdictMs = Math.min(verdictMs, Math.max(nowMs + 1, verdictOn(after, limits)))
    }
    return verdictMs
  }

  #judged(before: Peer, after: Peer, nowMs: number): void {
    if (after.at === 'suspect' && before.at === 'alive') this.#nextQuestionMs = nowMs
    if (after.missed && !before.missed)
      this.#newsMs = Math.max(nowMs, this.#toldMs + this.#options.timing.intervalMs / 2)
    this.#replace(before, after)
  }

  #forget({ node, address, heardMs }: Peer, nowMs: number): void {
    if (this.#discovered.has(address) || nowMs - heardMs < this.#options.timing.forgetAfterMs) return
    this.#peers.delete(node)
    this.#addresses = undefined
    this.#changes++
  }

  #patienceFor({ intervalMs, gapMs, heardMs }: Peer, nowMs: number) {
    const gap = Math.max(faded(gapMs, nowMs - heardMs), this.#stallMs(nowMs))
    return patience(intervalMs, gap, this.#options.timing)
  }

  /** Suspects are asked for an answer, every interval. */
  #ask(nowMs: number): Effect[] {
    if (nowMs < this.#nextQuestionMs) return []
    const suspects = [...this.#peers.values()].filter(({ at }) => at === 'suspect')
    this.#nextQuestionMs = suspects.length > 0 ? nowMs + this.#options.timing.intervalMs : Number.POSITIVE_INFINITY
    return suspects.map(({ address, boot }) => this.#send(address, { yourBoot: boot, respond: true }))
  }

  #replace(before: Peer | undefined, after: Peer): void {
    this.#peers.set(after.node, after)
    if (differs(before, after)) this.#changes++
    if (before?.address !== after.address) this.#addresses = undefined
  }

  get #known(): ReadonlySet<string> {
    this.#addresses ??= new Set([...this.#discovered, ...[...this.#peers.values()].map(({ address }) => address)])
    return this.#addresses
  }

  /** The next few of a round in which everybody is greeted. */
  #greetPart(nowMs: number): Effect[] {
    const suspects = new Set(
      [...this.#peers.values()].filter(({ at }) => at === 'suspect').map(({ address }) => address),
    )
    const addresses = [...this.#known].filter(address => !suspects.has(address)) // those are asked, below
    const { roundMs, parts, size } = roundOf(addresses.length, this.#options.timing)
    this.#part = (this.#part + 1) % parts
    this.#nextPartMs = Math.max(this.#nextPartMs + roundMs / parts, nowMs + roundMs / parts / 2)
    return this.#greet(addresses.slice(this.#part * size, (this.#part + 1) * size), {})
  }

  #greet(addresses: readonly string[], flags: Partial<Heartbeat>): Effect[] {
    const peers = new Map([...this.#peers.values()].map(peer => [peer.address, peer]))
    return addresses.map(to => this.#send(to, { yourBoot: peers.get(to)?.boot ?? 0n, ...flags }))
  }

  #send(to: string, flags: Partial<Heartbeat>): Effect {
    const { node, boot, timing } = this.#options
    this.#sequence++
    const intervalMs = roundOf(Math.max(this.#peers.size, this.#discovered.size), timing).roundMs
    const own = { node, boot, sequence: this.#sequence, joining: this.#joining, held: this.#held, intervalMs }
    const known = { silent: this.#silent(), interfaces: this.#interfaces }
    return { kind: 'send', to, packet: { yourBoot: 0n, leaving: false, respond: false, ...own, ...known, ...flags } }
  }

  /** Missed ones, the latest first. */
  #silent(): string[] {
    const missed = [...this.#peers.values()].filter(peer => peer.missed && peer.at !== 'left')
    return missed.sort((a, b) => b.heardMs - a.heardMs).map(({ node }) => node)
  }

  #isFull(from: string): boolean {
    return this.#peers.size >= this.#options.maxPeers && !this.#discovered.has(from)
  }
}

const isOver = ({ at }: Peer) => at === 'dead' || at === 'left'

/** When its silence lasts too long for what it is held for now. */
function verdictOn({ at, missed, heardMs }: Peer, { suspectMs, missedMs, deadMs }: Patience): number {
  if (at === 'dead') return Number.POSITIVE_INFINITY
  return heardMs + (at === 'alive' ? suspectMs : missed ? deadMs : missedMs)
}

function refused(code: RefusalCode, { node }: Heartbeat, from: string): Effect {
  return { kind: 'refused', code, node, from }
}
