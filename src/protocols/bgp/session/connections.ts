import type { Address } from '../../../core/ip/index.ts'
import type {
  Clock,
  Random,
  Stream,
  StreamEndpoint,
  StreamEvents,
  StreamPort,
  StreamTarget,
} from '../../../ports/index.ts'
import { collisionWinner } from '../collision.ts'
import type { CloseReason, State } from '../fsm/index.ts'
import type { Notification, RouteRefresh, Update } from '../message/index.ts'
import type { Agreed, Settings } from '../negotiation.ts'
import type { CeaseReason } from '../notification.ts'
import { type Farewell, farewellNotification } from './farewell.ts'
import {
  type Direction,
  Machine,
  type MachineContext,
  type MachineListener,
  type MessageCounts,
  noMessages,
} from './machine.ts'

export interface ConnectionOptions {
  /** Both are read anew for each attempt; `reconfigure` takes what a running session can bear of a change. */
  readonly settings: Settings
  readonly target: StreamTarget
  /** The identifier where the connection decides it. Absent: that of the settings. */
  identify?(connection: StreamEndpoint): Address
}

export interface SessionPorts {
  readonly clock: Clock
  readonly random: Random
  readonly streams: StreamPort
}

/** Called when the connections have changed already. */
export interface ConnectionsListener {
  established(agreed: Agreed, stream: Stream): void
  /** An attempt, or an established session, has ended. */
  closed(reason: CloseReason, established: boolean): void
  update(update: Update): void
  refresh(refresh: RouteRefresh): void
  /** One was received, or is sent, on either connection. */
  notified(direction: Direction, notification: Notification): void
  /** More can be sent. */
  drained(): void
}

/**
 * The connection with a peer that comes back until it is stopped, and for a while a second one where both sides connect
 * at once: one of them is the session in the end (RFC 4271 section 6.8).
 */
export class Connections {
  readonly #options: ConnectionOptions
  readonly #ports: SessionPorts
  readonly #listener: ConnectionsListener
  readonly #past = { sent: noMessages(), received: noMessages() }
  #main: Machine
  /** The peer's connection, while ours is on its way. */
  #second: Machine | undefined
  #restarting: boolean

  constructor(options: ConnectionOptions, ports: SessionPorts, listener: ConnectionsListener) {
    this.#options = options
    this.#ports = ports
    this.#listener = listener
    this.#restarting = options.settings.gracefulRestart?.restarting ?? false
    this.#main = this.#machine()
  }

  /** That which is the session, if one is. */
  get main(): Machine {
    return this.#main
  }

  /** Of all connections, those that have ended too. */
  get sent(): MessageCounts {
    return sum(this.#past.sent, this.#main.sent)
  }

  get received(): MessageCounts {
    return sum(this.#past.received, this.#main.received)
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

  /** Answers the sentence that says why the connection cannot bear it. */
  reconfigure(): string | undefined {
    const { target } = this.#options
    return this.#second?.reconfigure(target) ?? this.#main.reconfigure(target)
  }

  /** With `why` it is not BFD that says so, and the peer cannot be told. */
  livenessLost(why?: string): void {
    this.#discard(this.#second)
    this.#main.dispatch({ kind: 'liveness lost', ...(why !== undefined && { why }) })
  }

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

  /** A connection that was not taken got this as its only answer. */
  turnedAway(notification: Notification): void {
    this.#past.sent.notification++
    this.#listener.notified('sent', notification)
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
    const { update, refresh, notified, drained } = this.#listener
    return {
      agreed: agreed => this.#resolveCollision(machine(), agreed),
      established: agreed => this.#established(machine(), agreed),
      closed: (reason, established) => this.#closed(machine(), reason, established),
      update,
      refresh,
      notified,
      drained,
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
    this.#listener.established(agreed, machine.stream!)
  }

  /** Where the other connection goes on, it is the session. */
  #closed(machine: Machine, reason: CloseReason, established: boolean): void {
    const goesOn = this.#second !== undefined
    if (machine === this.#second) this.#discard(machine)
    else if (goesOn) this.#promote()
    if (!goesOn || established) this.#listener.closed(reason, established)
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
}

function sum(a: MessageCounts, b: MessageCounts): MessageCounts {
  const total = noMessages()
  for (const kind of Object.keys(total) as (keyof MessageCounts)[]) total[kind] = a[kind] + b[kind]
  return total
}
