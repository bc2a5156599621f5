/** Connections that routers open: accepted from configured peers only (chapter 04 section 6.6). */
import { type Address, formatAddress } from '../../core/ip/index.ts'
import { SourceLimit } from '../../core/source-limit.ts'
import type {
  Clock,
  Counter,
  Logger,
  Metrics,
  PeerSecrets,
  Stream,
  StreamEvents,
  StreamListener,
  StreamPort,
  StreamTarget,
  Timer,
} from '../../ports/index.ts'
import { type CeaseReason, cease, encodeMessage, type Notification } from '../../protocols/bgp/index.ts'
import { TRAFFIC_CLASS } from './settings.ts'

/** Where to listen. */
export interface ListenAt {
  readonly port: number
  /** Absent: every local address. */
  readonly address?: Address
}

/** Who may connect: the session of a peer. */
export interface ListeningPeer {
  /** What is dialled; the peer comes from its address, device and interface, signed and as near as it says. */
  readonly target: StreamTarget
  /** Undefined: not now. */
  accept(stream: Stream): StreamEvents | undefined
  /** Why not now, as the router is told. */
  readonly refusal: CeaseReason | undefined
  /** A connection that was not accepted has been answered with this. */
  turnedAway(notification: Notification): void
}

export interface ListenerContext {
  readonly streams: StreamPort
  readonly clock: Clock
  readonly metrics: Metrics
  readonly log: Logger
}

const ANY: readonly Address[] = [
  { family: 'ipv4', value: 0n },
  { family: 'ipv6', value: 0n },
]

/** The address or device may come later, and who has the port may go. */
const RETRY_MS = 5000

/** Strangers cost one line of the log in this time. */
const TELL_MS = 10_000

/** A peer, or all strangers together: how many that are refused are told so. Each may stay for some seconds to read it. */
const ANSWERED = { perSecond: 1, burst: 8, most: 256 }
const STRANGERS = ''
const DEAF: StreamEvents = { connected() {}, data() {}, drained() {}, closed() {} }

/** A socket of one family in one VRF, or in none; what arrives in a VRF reaches no socket without one. */
interface Place {
  readonly address: Address
  readonly device: string | undefined
}

type RefusalReason = 'unknownPeer' | 'notExpected'

export class Listener {
  readonly #at: ListenAt
  readonly #context: ListenerContext
  readonly #peers: () => Iterable<ListeningPeer>
  readonly #open = new Map<string, StreamListener | 'opening'>()
  readonly #problems = new Map<string, string>()
  readonly #refused: Counter
  readonly #answered = new SourceLimit(ANSWERED)
  #untold = 0
  #telling: Timer | undefined
  #retry: Timer | undefined
  #closed = false

  /** `peers` answers those of now. */
  constructor(at: ListenAt, peers: () => Iterable<ListeningPeer>, context: ListenerContext) {
    this.#at = at
    this.#peers = peers
    this.#context = context
    this.#refused = context.metrics.counter({
      name: 'metallb_bgp_connections_refused_total',
      help: 'Number of incoming BGP connections that were closed at once',
      labels: ['reason'],
    })
  }

  /** Peers, their keys or what they ask of the socket have changed. */
  sync(): void {
    if (this.#closed) return
    this.#retry?.cancel()
    this.#retry = undefined
    const places = this.#places()
    for (const [key, listener] of this.#open)
      if (!places.has(key) && listener !== 'opening') {
        this.#open.delete(key)
        void listener.close()
      }
    for (const [key, place] of places) {
      const listener = this.#open.get(key)
      if (listener === undefined) void this.#listen(key, place)
      else if (listener !== 'opening') this.#tell(key, listener.adjust?.(this.#options(place)))
    }
  }

  /** Nobody is let in any more, and not told why: a router that keeps our routes over a restart is to hear of no end. */
  shut(): void {
    this.#closed = true
    this.#retry?.cancel()
    this.#telling?.cancel()
  }

  async close(): Promise<void> {
    this.shut()
    const listeners = [...this.#open.values()].filter(one => one !== 'opening')
    this.#open.clear()
    await Promise.all(listeners.map(one => one.close()))
  }

  /** Where somebody may come from. */
  #places(): Map<string, Place> {
    const places = new Map<string, Place>()
    for (const { target } of this.#peers())
      for (const address of this.#at.address ? [this.#at.address] : ANY)
        if (address.family === target.address.family)
          places.set(`${address.family} ${target.device ?? ''}`, { address, device: target.device })
    return places
  }

  async #listen(key: string, place: Place): Promise<void> {
    this.#open.set(key, 'opening')
    try {
      const listener = await this.#context.streams.listen(
        { ...place, port: this.#at.port, shared: true, trafficClass: TRAFFIC_CLASS, ...this.#options(place) },
        stream => this.#accept(place, stream),
      )
      if (this.#closed) return void listener.close()
      this.#open.set(key, listener)
      this.#tell(key, undefined)
      this.sync() // peers may have changed meanwhile
    } catch (error) {
      this.#open.delete(key)
      if (this.#closed) return
      this.#tell(key, (error as Error).message)
      this.#retry ??= this.#context.clock.after(RETRY_MS, () => this.sync())
    }
  }

  /** One socket serves all peers of a place: it can be no stricter about TTLs than the least strict of them. */
  #options(place: Place): { keys: PeerSecrets[]; ttl?: number; minTtl?: number } {
    const targets = Array.from(this.#peers(), ({ target }) => target).filter(target => isFrom(place, target))
    const keys = targets
      .filter(({ md5Password, aoKeys }) => md5Password !== undefined || aoKeys !== undefined)
      .map(({ address, md5Password, aoKeys }) => ({ address, md5Password, aoKeys }))
    const minTtl = Math.min(...targets.map(target => target.minTtl ?? 0))
    const near = targets.some(target => target.ttl === 255) // RFC 5082: our SYN/ACK has to pass their check
    return { keys, ...(near && { ttl: 255 }), ...(targets.length > 0 && minTtl > 0 && { minTtl }) }
  }

  #accept(place: Place, stream: Stream): StreamEvents | undefined {
    if (this.#closed) return undefined
    const { address, scope } = stream.remote
    const comesFrom = ({ target }: ListeningPeer) =>
      isFrom(place, target) &&
      target.address.value === address.value &&
      (target.scope === undefined || scope === undefined || target.scope === scope)
    const peer = [...this.#peers()].find(comesFrom)
    const events = peer?.accept(stream)
    if (events !== undefined) return events
    this.#refuse(address, peer === undefined ? 'unknownPeer' : 'notExpected')
    return this.#answer(stream, peer)
  }

  /** RFC 4486 section 4. Whom we have no room to tell is closed without a word. */
  #answer(stream: Stream, peer: ListeningPeer | undefined): StreamEvents | undefined {
    const from = peer === undefined ? STRANGERS : formatAddress(stream.remote.address)
    if (!this.#answered.pass(from, this.#context.clock.monotonic())) return undefined
    const notification = cease(peer?.refusal ?? 'connection rejected')
    stream.write(encodeMessage(notification))
    stream.end()
    peer?.turnedAway(notification) // strangers have no series of their own, or anybody could make any number of them
    return DEAF
  }

  /** The first of a flood is told at once, the rest as a number. */
  #refuse(address: Address, reason: RefusalReason): void {
    this.#refused.inc({ reason })
    this.#untold++
    if (this.#telling !== undefined) return
    const level = reason === 'unknownPeer' ? 'warn' : 'info'
    const msg = 'refused BGP connection'
    this.#context.log[level]({
      event: 'connectionRefused',
      peer: formatAddress(address),
      reason,
      count: this.#untold,
      msg,
    })
    this.#untold = 0
    this.#telling = this.#context.clock.after(TELL_MS, () => {
      this.#telling = undefined
    })
  }

  /** Once for each problem. */
  #tell(key: string, problem: string | undefined): void {
    if (problem === undefined) this.#problems.delete(key)
    else if (this.#problems.get(key) !== problem) {
      this.#problems.set(key, problem)
      const [family, vrf] = key.split(' ')
      const where = { family, ...(vrf && { vrf }), port: this.#at.port }
      this.#context.log.error({ op: 'listen', ...where, error: problem, msg: 'failed to listen for BGP peers' })
    }
  }
}

function isFrom({ address, device }: Place, target: StreamTarget): boolean {
  return address.family === target.address.family && device === target.device
}
