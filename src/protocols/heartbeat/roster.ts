import type { MemberEvent } from '../../ports/index.ts'
import type { Heartbeat } from './packet.ts'
import { DEFAULT_TIMING, heard, isMember, type Peer, silent, stallMs, type Timing, ticksBetween } from './peer.ts'

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
  | { readonly kind: 'event'; readonly event: MemberEvent }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly node: string; readonly from: string }

/** OWN_NAME: another speaker runs under this node's name. */
export type RefusalCode = 'OWN_NAME' | 'UNKNOWN_SOURCE' | 'REPLAYED' | 'TOO_MANY_PEERS'

/** Who is there: no sockets and no timers, the driver gives it packets and ticks and performs the effects. */
export class Roster {
  readonly #options: Required<RosterOptions>
  readonly #peers = new Map<string, Peer>()
  #discovered: ReadonlySet<string> = new Set()
  #sequence = 0
  #joining = true
  #ticks = 0
  #lastTickMs: number

  constructor(options: RosterOptions, nowMs: number) {
    this.#options = { timing: DEFAULT_TIMING, maxPeers: 1024, ...options }
    this.#lastTickMs = nowMs
  }

  /** Nodes with a live speaker that can announce, this one included. */
  members(): Set<string> {
    const others = [...this.#peers.values()].filter(isMember).map(({ node }) => node)
    return new Set([this.#options.node, ...others])
  }

  /** Everybody who ever spoke and is not forgotten. */
  peers(): Iterable<Peer> {
    return this.#peers.values()
  }

  peer(node: string): Peer | undefined {
    return this.#peers.get(node)
  }

  /** Of the discovered peers, how many have answered so far. */
  get answered(): number {
    const known = new Set([...this.#peers.values()].map(({ address }) => address))
    return [...this.#discovered].filter(address => known.has(address)).length
  }

  get expected(): number {
    return this.#discovered.size
  }

  /** Addresses where speakers should be, own ones excluded. New ones are greeted at once. */
  discover(addresses: ReadonlySet<string>): Effect[] {
    const fresh = [...addresses].filter(address => !this.#discovered.has(address))
    this.#discovered = addresses
    return fresh.map(address => this.#greet(address))
  }

  /** This node can announce from now on. */
  activate(): Effect[] {
    this.#joining = false
    return this.greetAll()
  }

  leave(): Effect[] {
    return this.greetAll({ leaving: true })
  }

  greetAll(flags: Partial<Heartbeat> = {}): Effect[] {
    const peers = new Map([...this.#peers.values()].map(peer => [peer.address, peer]))
    return [...new Set([...this.#discovered, ...peers.keys()])].map(to => {
      const peer = peers.get(to)
      return this.#send(to, { yourBoot: peer?.boot ?? 0n, respond: peer?.at === 'suspect', ...flags })
    })
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
    this.#peers.set(packet.node, after)
    const answer = packet.respond ? [this.#send(from, { yourBoot: packet.boot })] : []
    return [...answer, ...eventsOf(before, after)]
  }

  tick(nowMs: number): Effect[] {
    const { timing } = this.#options
    const stall = stallMs(nowMs - this.#lastTickMs, timing.intervalMs)
    this.#lastTickMs = nowMs
    const events: Effect[] = []
    for (const before of this.#peers.values()) {
      const after = silent({ ...before, heardMs: before.heardMs + stall }, nowMs, timing)
      this.#peers.set(after.node, after)
      events.push(...eventsOf(before, after))
      if (this.#isForgotten(after, nowMs)) this.#peers.delete(after.node)
    }
    const due = events.length > 0 || this.#ticks++ % this.#ticksBetween === 0 // news is not kept waiting
    return due ? [...events, ...this.greetAll()] : events
  }

  #greet(address: string): Effect {
    return this.#send(address, {})
  }

  #send(to: string, flags: Partial<Heartbeat>): Effect {
    const { node, boot } = this.#options
    this.#sequence++
    const intervalMs = this.#options.timing.intervalMs * this.#ticksBetween
    const own = { node, boot, sequence: this.#sequence, joining: this.#joining, intervalMs, silent: this.#silent }
    return { kind: 'send', to, packet: { yourBoot: 0n, leaving: false, respond: false, ...own, ...flags } }
  }

  get #ticksBetween(): number {
    return ticksBetween(Math.max(this.#peers.size, this.#discovered.size))
  }

  /** Missed ones, the latest first. */
  get #silent(): string[] {
    const missed = [...this.#peers.values()].filter(({ at }) => at === 'suspect' || at === 'dead')
    return missed.sort((a, b) => b.heardMs - a.heardMs).map(({ node }) => node)
  }

  #isFull(from: string): boolean {
    return this.#peers.size >= this.#options.maxPeers && !this.#discovered.has(from)
  }

  #isForgotten({ at, heardMs, address }: Peer, nowMs: number): boolean {
    const over = at === 'dead' || at === 'left'
    return over && !this.#discovered.has(address) && nowMs - heardMs >= this.#options.timing.forgetAfterMs
  }
}

function eventsOf(before: Peer | undefined, after: Peer): Effect[] {
  const { node, address } = after
  const event = (kind: MemberEvent['kind']): Effect[] => [{ kind: 'event', event: { kind, node, address } }]
  if (isMember(before) !== isMember(after)) return event(isMember(after) ? 'NodeJoin' : 'NodeLeave')
  return isMember(after) && before?.address !== address ? event('NodeUpdate') : []
}

function refused(code: RefusalCode, { node }: Heartbeat, from: string): Effect {
  return { kind: 'refused', code, node, from }
}
