import type { Prefix } from '../../../core/ip/index.ts'
import type { Stream, StreamEndpoint, StreamEvents } from '../../../ports/index.ts'
import type { UpdateFault } from '../attribute/index.ts'
import type { CloseReason, State } from '../fsm/index.ts'
import { type Notification, prefixCount, type Update } from '../message/index.ts'
import type { Agreed } from '../negotiation.ts'
import type { CeaseReason } from '../notification.ts'
import { type LocalAddresses, Outbound, type Route } from '../outbound/index.ts'
import { type ConnectionOptions, Connections, type SessionPorts } from './connections.ts'
import type { Farewell } from './farewell.ts'
import type { Direction, MessageCounts } from './machine.ts'

export interface SessionOptions extends ConnectionOptions {
  /** LOCAL_PREF of routes that have none, for internal peers. */
  readonly defaultLocalPref: number
  /** Addresses that routes may name as next hops over this connection. */
  localAddresses(connection: StreamEndpoint): LocalAddresses
}

/** What others may want to know; called when the session has changed already. */
export interface SessionListener {
  established?(agreed: Agreed): void
  /** An attempt, or an established session, has ended. */
  closed?(reason: CloseReason, established: boolean): void
  /** The other end said what is wrong, or was told. */
  notified?(direction: Direction, notification: Notification): void
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
 * A session with one peer that comes back until it is stopped: its connections, and the routes that the peer should
 * know. Nothing blocks: what cannot be sent now waits as a difference, not as bytes.
 */
export class Session {
  readonly #options: SessionOptions
  readonly #ports: SessionPorts
  readonly #listener: SessionListener
  readonly #outbound: Outbound
  readonly #connections: Connections
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
    this.#connections = new Connections(options, ports, {
      established: (agreed, stream) => this.#established(agreed, stream),
      closed: (reason, established) => this.#closed(reason, established),
      update: update => this.#count(update),
      refresh: refresh => {
        this.#outbound.refresh(refresh)
        this.#flushSoon()
      },
      notified: (direction, notification) => this.#listener.notified?.(direction, notification),
      drained: () => this.flush(),
    })
  }

  start(): void {
    this.#connections.start()
  }

  /** For good, or until the next start. */
  stop(farewell: Farewell): void {
    this.#connections.stop(farewell)
  }

  /**
   * Keys, TTLs, and the keepalive and connect times have changed, which needs no new session; one that is down tries at
   * once. Answers the sentence that says why the connection cannot bear it.
   */
  reconfigure(): string | undefined {
    return this.#connections.reconfigure()
  }

  /** BFD says that the peer is gone; with `why` it is something else that says so, and the peer cannot be told. */
  livenessLost(why?: string): void {
    this.#connections.livenessLost(why)
  }

  /** BFD hears the peer again: an attempt that waits begins now, however often others have failed. */
  livenessFound(): void {
    this.#connections.livenessFound()
  }

  /** Why a connection of the peer is not wanted now, as a Cease says it; undefined where it is. */
  get refusal(): CeaseReason | undefined {
    return this.#connections.refusal
  }

  /** A connection that the peer opened; undefined: it is not taken, and nobody has told the peer. */
  accept(stream: Stream): StreamEvents | undefined {
    return this.#connections.accept(stream)
  }

  /** One that was not taken has been told why, with this. */
  turnedAway(notification: Notification): void {
    this.#connections.turnedAway(notification)
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
    const { main } = this.#connections
    let sent = false
    while (main.state.at === 'established' && !main.blocked) {
      const message = this.#outbound.next()
      if (message === undefined) break
      main.sendRoutes(message)
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
    const { main, sent, received } = this.#connections
    const { state, stream } = main
    return {
      state: state.at,
      agreed: 'agreed' in state ? state.agreed : undefined,
      local: stream?.local,
      remote: stream?.remote,
      establishedAtMs: this.#establishedAtMs,
      establishedCount: this.#establishedCount,
      lastClose: this.#lastClose,
      sent,
      received,
      wanted: this.#outbound.wanted,
      told: this.#outbound.told,
      prefixesReceived: this.#prefixesReceived,
      malformedUpdates: this.#malformedUpdates,
    }
  }

  #established(agreed: Agreed, stream: Stream): void {
    this.#establishedAtMs = this.#ports.clock.monotonic()
    this.#establishedCount++
    this.#outbound.open(agreed, this.#options.localAddresses(stream.local!))
    this.#listener.established?.(agreed)
    this.#flushSoon()
  }

  #closed(reason: CloseReason, established: boolean): void {
    if (established) {
      this.#outbound.close()
      this.#establishedAtMs = undefined
      this.#prefixesReceived = 0
    }
    this.#lastClose = { reason, atMs: this.#ports.clock.monotonic() }
    this.#listener.closed?.(reason, established)
    if (established) this.#listener.advertised?.()
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
    if (this.#flushing || this.#connections.main.state.at !== 'established') return
    this.#flushing = true
    this.#ports.clock.after(0, () => {
      this.#flushing = false
      this.flush()
    })
  }
}
