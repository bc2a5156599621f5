import type { Address, Prefix } from '../../../core/ip/index.ts'
import type {
  Clock,
  Random,
  Stream,
  StreamEndpoint,
  StreamEvents,
  StreamPort,
  StreamTarget,
} from '../../../ports/index.ts'
import type { UpdateFault } from '../attribute/index.ts'
import { collisionWinner } from '../collision.ts'
import type { CloseReason, State } from '../fsm/index.ts'
import { prefixCount, type Update } from '../message/index.ts'
import type { Agreed, Settings } from '../negotiation.ts'
import type { CeaseReason } from '../notification.ts'
import { type LocalAddresses, Outbound, type Route } from '../outbound/index.ts'
import { type Farewell, farewellNotification } from './farewell.ts'
import { Machine, type MachineContext, type MachineListener, type MessageCounts, noMessages } from './machine.ts'

export interface SessionOptions {
  /** Both are read anew for each attempt; `reconfigure` takes what a running session can bear of a change. */
  readonly settings: Settings
  readonly target: StreamTarget
  /** LOCAL_PREF of routes that have none, for internal peers. */
  readonly defaultLocalPref: number
  /** Addresses that routes may name as next hops over this connection. */
  localAddresses(connection: StreamEndpoint): LocalAddresses
  /** The identifier where the connection decides it. Absent: that of the settings. */
  identify?(connection: StreamEndpoint): Address
}

export interface SessionPorts {
  readonly clock: Clock
  readonly random: Random
  readonly streams: StreamPort
}

/** What others may want to know; called when the session has changed already. */
export interface SessionListener {
  established?(agreed: Agreed): void
  /** An attempt, or an established session, has ended. */
  closed?(reason: CloseReason, established: boolean): void
  /** RFC 7606 forgave something in an UPDATE. */
  faults?(faults: readonly UpdateFault[]): void
  /** Messages with routes have been sent, or a session has ended: counts have changed. */
  advertised?(): void
}

export interface SessionStatus {
  readonly state: State['at']
  readonly agreed?: Agreed
  readonly local?: StreamEndpoint
  readonly remote?: StreamEndpoint
  /** On the monotonic clock. */
  readonly establishedAtMs?: number
  /** How often the session has been established. */
  readonly establishedCount: number
  readonly lastClose?: { readonly reason: CloseReason; readonly atMs: number }
  readonly sent: MessageCounts
  readonly received: MessageCounts
  /** Prefixes that the peer should know, and that it has been told. */
  readonly wanted: number
  readonly told: number
  /** What the peer announced in this session; not kept, as we install no routes. */
  readonly prefixesReceived: number
  /** UPDATEs in which RFC 7606 forgave something. */
  readonly malformedUpdates: number
}

/**
 * A session with one peer that comes back until it is stopped: a machine for the connection, for a while a second one
 * where both sides connect at once (RFC 4271 section 6.8), and the routes that the peer should know. Nothing blocks:
 * what cannot be sent now waits as a difference, not as bytes.
 */
export class Session {
  readonly #options: SessionOptions
  readonly #ports: SessionPorts
  readonly #listener: SessionListener
  readonly #outbound: Outbound
  readonly #past = { sent: noMessages(), received: noMessages() }
  #main: Machine
  /** The peer's connection, while ours is on its way. */
  #second: Machine | undefined
  #restarting: boolean
  #flushing = false
  #establishedAtMs: number | undefined
  #establishedCount = 0
  #lastClose: SessionStatus['lastClose']
  #prefixesReceived = 0
  #malformedUpdates = 0

  constructor(options: SessionOptions, ports: SessionPorts, listener: SessionListener = {}) {
    this.#options = options
    this.#ports = ports
    this.#listener = listener
    const { settings, defaultLocalPref } = options
    this.#outbound = new Outbound({ localAsn: settings.localAsn, defaultLocalPref })
    this.#restarting = settings.gracefulRestart?.restarting ?? false
    this.#main = this.#machine()
  }

  start(): void {
    this.#main.dispatch({ kind: 'start' })
  }

  /** For good, or until the next start. */
  stop(farewell: Farewell): void {
    this.#discard(this.#second)
    const { state } = this.#main
    const agreed = 'agreed' in state ? state.agreed : undefined
    this.#main.dispatch({ kind: 'stop', notification: farewellNotification(farewell, agreed) })
  }

  /**
   * Keys, TTLs, and the keepalive and connect times have changed, which needs no new session; one that is down tries at
   * once. Answers the sentence that says why the connection cannot bear it.
   */
  reconfigure(): string | undefined {
    const { target } = this.#options
    return this.#second?.reconfigure(target) ?? this.#main.reconfigure(target)
  }

  /** BFD says that the peer is gone; with `why` it is something else that says so, and the peer cannot be told. */
  livenessLost(why?: string): void {
    this.#discard(this.#second)
    this.#main.dispatch({ kind: 'liveness lost', ...(why !== undefined && { why }) })
  }

  /** BFD hears the peer again: an attempt that waits begins now, however often others have failed. */
  livenessFound(): void {
    this.#main.dispatch({ kind: 'liveness found' })
  }

  /** Why a connection of the peer is not wanted now, as a Cease says it; undefined where it is. */
  get refusal(): CeaseReason | undefined {
    const { state } = this.#main
    if (!this.#options.settings.listens || state.at === 'idle') return 'connection rejected' // RFC 4486 section 4
    // RFC 4271 section 6.8: an established connection wins, and two that are on their way are enough
    const established = state.at === 'established' && !state.agreed.gracefulRestart
    const taken = established || (state.at !== 'active' && this.#second !== undefined)
    return taken ? 'collision resolution' : undefined
  }

  /** A connection that the peer opened; undefined: it is not taken, and nobody has told the peer. */
  accept(stream: Stream): StreamEvents | undefined {
    if (this.refusal !== undefined || stream.adjust?.(this.#options.target) !== undefined) return undefined
    const { state } = this.#main
    if (state.at === 'active') return this.#main.attach(stream)
    this.#second = this.#machine({ at: 'active', failures: state.failures })
    return this.#second.attach(stream)
  }

  announce(routes: Iterable<Route>): void {
    this.#outbound.announce(routes)
    this.#flushSoon()
  }

  withdraw(prefixes: Iterable<Prefix>): void {
    this.#outbound.withdraw(prefixes)
    this.#flushSoon()
  }

  /** The whole of what the peer should know. */
  replace(routes: readonly Route[]): void {
    this.#outbound.replace(routes)
    this.#flushSoon()
  }

  /** All routes from before a restart are here: End-of-RIB may be sent (chapter 04 section 6.8). */
  complete(): void {
    this.#outbound.complete()
    this.#flushSoon()
  }

  /** Sends now what would be sent at the end of this turn: before a stop. */
  flush(): void {
    const machine = this.#main
    let sent = false
    while (machine.state.at === 'established' && !machine.blocked) {
      const message = this.#outbound.next()
      if (message === undefined) break
      machine.sendRoutes(message)
      sent = true
    }
    if (sent) this.#listener.advertised?.()
  }

  /** Why the prefix is not sent to the peer; undefined where it is, or will be. */
  reasonNotSent(prefix: Prefix): string | undefined {
    return this.#outbound.reasonNotSent(prefix)
  }

  /** What the peer should know, whether it can be sent or not. */
  wantedRoutes(): Iterable<Route> {
    return this.#outbound.routes()
  }

  advertisedRoutes(): Iterable<Route> {
    return this.#outbound.advertised()
  }

  get status(): SessionStatus {
    const { state, stream } = this.#main
    return {
      state: state.at,
      agreed: 'agreed' in state ? state.agreed : undefined,
      local: stream?.local,
      remote: stream?.remote,
      establishedAtMs: this.#establishedAtMs,
      establishedCount: this.#establishedCount,
      lastClose: this.#lastClose,
      sent: sum(this.#past.sent, this.#main.sent),
      received: sum(this.#past.received, this.#main.received),
      wanted: this.#outbound.wanted,
      told: this.#outbound.told,
      prefixesReceived: this.#prefixesReceived,
      malformedUpdates: this.#malformedUpdates,
    }
  }

  #machine(state?: State): Machine {
    const { clock, random, streams } = this.#ports
    const context: MachineContext = {
      clock,
      random,
      settings: () => this.#settings(machine),
      dial: events => streams.connect(this.#options.target, events),
    }
    const machine: Machine = new Machine(
      context,
      this.#listenerFor(() => machine),
      state,
    )
    return machine
  }

  /** The R bit tells of a restart until the first session after it (RFC 4724 section 3). */
  #settings(machine: Machine): Settings {
    const { settings: given, identify } = this.#options
    const local = machine.stream?.local
    const settings = local === undefined || identify === undefined ? given : { ...given, identifier: identify(local) }
    const { gracefulRestart } = settings
    if (gracefulRestart === undefined || gracefulRestart.restarting === this.#restarting) return settings
    return { ...settings, gracefulRestart: { ...gracefulRestart, restarting: this.#restarting } }
  }

  #listenerFor(machine: () => Machine): MachineListener {
    return {
      agreed: agreed => this.#resolveCollision(machine(), agreed),
      established: agreed => this.#established(machine(), agreed),
      closed: (reason, established) => this.#closed(machine(), reason, established),
      update: update => this.#count(update),
      refresh: refresh => {
        this.#outbound.refresh(refresh)
        this.#flushSoon()
      },
      drained: () => this.flush(),
    }
  }

  /** The identifier of the peer is known now, so two connections need not go on (RFC 4271 section 6.8). */
  #resolveCollision(machine: Machine, { peerIdentifier, peerAsn }: Agreed): void {
    const other = machine === this.#main ? this.#second : this.#main
    if (other === undefined) return
    // A peer that comes anew has restarted: its old connection ends without a word (RFC 4724 section 4.2).
    if (other.state.at === 'established') this.#lose(other)
    if (other.state.at !== 'open sent' && other.state.at !== 'open confirm') return
    const { identifier, localAsn } = this.#settings(machine)
    const winner = collisionWinner({ identifier, asn: localAsn }, { identifier: peerIdentifier, asn: peerAsn })
    const loser = machine.initiator === winner ? other : machine
    loser.dispatch({ kind: 'collision lost' })
  }

  /** An established session that its peer has forgotten. */
  #lose(machine: Machine): void {
    machine.discard()
    this.#closed(machine, { kind: 'transport', message: 'the peer has connected anew' }, true)
  }

  #established(machine: Machine, agreed: Agreed): void {
    if (machine === this.#second) this.#promote()
    else this.#discard(this.#second)
    this.#restarting = false
    this.#establishedAtMs = this.#ports.clock.monotonic()
    this.#establishedCount++
    this.#prefixesReceived = 0
    this.#outbound.open(agreed, this.#options.localAddresses(machine.stream!.local!))
    this.#listener.established?.(agreed)
    this.#flushSoon()
  }

  #closed(machine: Machine, reason: CloseReason, established: boolean): void {
    if (established) {
      this.#outbound.close()
      this.#establishedAtMs = undefined
    }
    const goesOn = this.#second !== undefined
    if (machine === this.#second) this.#discard(machine)
    else if (goesOn) this.#promote()
    if (goesOn && !established) return // the other connection is the session
    this.#lastClose = { reason, atMs: this.#ports.clock.monotonic() }
    this.#listener.closed?.(reason, established)
    if (established) this.#listener.advertised?.()
  }

  /** The second connection is the one that goes on. */
  #promote(): void {
    const [gone, kept] = [this.#main, this.#second!]
    this.#second = undefined
    this.#main = kept
    this.#discard(gone)
  }

  #discard(machine: Machine | undefined): void {
    if (machine === undefined) return
    if (machine === this.#second) this.#second = undefined
    machine.discard()
    this.#past.sent = sum(this.#past.sent, machine.sent)
    this.#past.received = sum(this.#past.received, machine.received)
  }

  /** No route of the peer is used or kept (RFC 8212: there is no import policy). */
  #count(update: Update): void {
    this.#prefixesReceived += prefixCount(update).announced
    if (update.faults === undefined) return
    this.#malformedUpdates++
    this.#listener.faults?.(update.faults)
  }

  /** Changes of one turn go out together. */
  #flushSoon(): void {
    if (this.#flushing || this.#main.state.at !== 'established') return
    this.#flushing = true
    this.#ports.clock.after(0, () => {
      this.#flushing = false
      this.flush()
    })
  }
}

function sum(a: MessageCounts, b: MessageCounts): MessageCounts {
  const total = noMessages()
  for (const kind of Object.keys(total) as (keyof MessageCounts)[]) total[kind] = a[kind] + b[kind]
  return total
}
