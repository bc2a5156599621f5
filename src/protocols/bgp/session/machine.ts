import type { Clock, Random, Stream, StreamAdjustment, StreamEvents, Timer } from '../../../ports/index.ts'
import { DecodeError } from '../../bytes/index.ts'
import type { Initiator } from '../collision.ts'
import { jittered, sendHoldMs } from '../damping.ts'
import { BgpError } from '../errors.ts'
import { Framer } from '../framing.ts'
import {
  type CloseReason,
  type Effect,
  type Established,
  type Event,
  STOPPED,
  type State,
  step,
  type TimerName,
} from '../fsm/index.ts'
import {
  decodeMessage,
  encodeMessage,
  type Frame,
  type Message,
  type MessageKind,
  type Notification,
  type RouteRefresh,
  type Update,
} from '../message/index.ts'
import type { Agreed, Settings } from '../negotiation.ts'

/** What the machine tells; each is called when the state has changed already. */
export interface MachineListener {
  /** The peer's OPEN is accepted: its identifier is known. */
  agreed(agreed: Agreed): void
  established(agreed: Agreed): void
  closed(reason: CloseReason, established: boolean): void
  update(update: Update): void
  refresh(refresh: RouteRefresh): void
  /** One was received, or is sent. */
  notified(direction: Direction, notification: Notification): void
  /** More can be sent. */
  drained(): void
}

export type Direction = 'sent' | 'received'

export interface MachineContext {
  readonly clock: Clock
  readonly random: Random
  settings(): Settings
  dial(events: StreamEvents): Stream
}

export type MessageCounts = Record<MessageKind, number>

const JITTERED: ReadonlySet<TimerName> = new Set(['connect retry', 'keepalive', 'idle hold'])

/** Runs the state machine of one connection: bytes become messages and events, effects become bytes and timers. */
export class Machine {
  readonly sent: MessageCounts = noMessages()
  readonly received: MessageCounts = noMessages()
  readonly #context: MachineContext
  readonly #listener: MachineListener
  readonly #timers = new Map<TimerName | 'send hold', Timer>()
  readonly #events: Event[] = []
  #busy = false
  #discarded = false
  #state: State
  #stream: Stream | undefined
  #initiator: Initiator = 'local'
  #framer = new Framer()
  /** Of this connection; before the peer's OPEN nothing is. */
  #agreed: Agreed | undefined
  #blocked = false

  constructor(context: MachineContext, listener: MachineListener, state: State = STOPPED) {
    this.#context = context
    this.#listener = listener
    this.#state = state
  }

  get state(): State {
    return this.#state
  }

  /** Who opened the connection. */
  get initiator(): Initiator {
    return this.#initiator
  }

  get stream(): Stream | undefined {
    return this.#stream
  }

  /** Enough waits to be sent: hold back until `drained`. */
  get blocked(): boolean {
    return this.#blocked
  }

  /** An event that comes up while another is worked on waits for its turn. */
  dispatch(event: Event): void {
    if (this.#discarded) return
    this.#events.push(event)
    if (this.#busy) return
    this.#busy = true
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) this.#step(next)
    this.#busy = false
  }

  /** Takes a connection that the peer opened. */
  attach(stream: Stream): StreamEvents {
    const events = this.#take(stream, 'remote')
    this.dispatch({ kind: 'connected' })
    return events
  }

  /** Settings that the session can bear have changed. Answers why the connection cannot be made like the target. */
  reconfigure(target: StreamAdjustment): string | undefined {
    const problem = this.#state.at === 'connect' ? undefined : this.#stream?.adjust?.(target)
    if (problem === undefined) this.dispatch({ kind: 'reconfigured' })
    return problem
  }

  /** Ends for ever without a word, for the peer and for the listener. */
  discard(): void {
    this.#discarded = true
    this.#cancel()
    this.#drop()
    this.#events.length = 0
  }

  /** Only where the state is Established. It restarts the KeepaliveTimer (RFC 4271 section 4.4). */
  sendRoutes(message: Update | RouteRefresh): void {
    this.#send(message)
    const { holdMs, keepaliveMs } = (this.#state as Established).agreed
    if (holdMs > 0) this.#arm('keepalive', keepaliveMs)
  }

  #step(event: Event): void {
    const [next, effects] = step(this.#state, event, this.#context.settings())
    this.#state = next
    for (const effect of effects) {
      if (this.#discarded) return
      this.#perform(effect)
    }
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case 'dial':
        this.#dial()
        break
      case 'send':
        this.#send(effect.message)
        break
      case 'drop':
        this.#drop()
        break
      case 'arm':
        this.#arm(effect.timer, effect.ms)
        break
      case 'cancel':
        this.#cancel()
        break
      case 'agreed':
        this.#agreed = effect.agreed
        this.#listener.agreed(effect.agreed)
        break
      case 'established':
        this.#listener.established(effect.agreed)
        break
      case 'refresh':
        this.#listener.refresh(effect.refresh)
        break
      case 'closed':
        this.#listener.closed(effect.reason, effect.established)
    }
  }

  #dial(): void {
    let events: StreamEvents | undefined
    const forward: StreamEvents = {
      connected: () => this.dispatch({ kind: 'connected' }),
      data: bytes => events?.data(bytes),
      drained: () => events?.drained(),
      closed: message => events?.closed(message),
    }
    const stream = this.#context.dial(forward)
    events = this.#take(stream, 'local')
  }

  #take(stream: Stream, initiator: Initiator): StreamEvents {
    this.#drop()
    this.#stream = stream
    this.#initiator = initiator
    this.#framer = new Framer()
    this.#framer.extended = this.#context.settings().extendedMessage
    this.#agreed = undefined
    return {
      connected: () => {},
      data: bytes => this.#data(stream, bytes),
      drained: () => this.#drained(),
      closed: message => {
        this.#stream = undefined
        this.dispatch({ kind: 'disconnected', message })
      },
    }
  }

  #data(stream: Stream, bytes: Uint8Array): void {
    this.#framer.push(bytes)
    while (this.#stream === stream) {
      const event = this.#nextEvent()
      if (event === undefined) return
      this.dispatch(event)
    }
  }

  #nextEvent(): Event | undefined {
    try {
      const frame = this.#framer.next()
      return frame && this.#eventOf(frame)
    } catch (error) {
      if (error instanceof BgpError) return { kind: 'malformed', error }
      if (!(error instanceof DecodeError)) throw error
      return { kind: 'malformed', error: new BgpError('BAD_MESSAGE_LENGTH', error.message) }
    }
  }

  #eventOf(frame: Frame): Event {
    const message = decodeMessage(frame, this.#agreed?.peerWire)
    this.received[message.kind]++
    switch (message.kind) {
      case 'open':
        return { kind: 'open', open: message }
      case 'notification':
        this.#listener.notified('received', message)
        return { kind: 'notification', notification: message }
      case 'route refresh':
        return { kind: 'route refresh', refresh: message }
      case 'update':
        if (this.#state.at === 'established') this.#listener.update(message)
        return { kind: 'update' }
      case 'keepalive':
        return { kind: 'keepalive' }
    }
  }

  #send(message: Message): void {
    if (this.#stream === undefined) return
    this.sent[message.kind]++
    if (message.kind === 'notification') this.#listener.notified('sent', message)
    if (this.#stream.write(encodeMessage(message, this.#agreed?.wire)) || this.#blocked) return
    this.#blocked = true
    const holdMs = this.#state.at === 'established' ? this.#state.agreed.holdMs : 0
    this.#after('send hold', sendHoldMs(holdMs), () => this.dispatch({ kind: 'send hold expired' }))
  }

  #drained(): void {
    this.#blocked = false
    this.#stop('send hold')
    this.#listener.drained()
  }

  /** A peer that does not read would not read the rest either. */
  #drop(): void {
    const stream = this.#stream
    this.#stream = undefined
    if (this.#blocked) stream?.destroy()
    else stream?.end()
    this.#blocked = false
    this.#stop('send hold')
  }

  #arm(timer: TimerName, ms: number): void {
    const exact = JITTERED.has(timer) ? jittered(ms, this.#context.random.next()) : ms
    this.#after(timer, exact, () => this.dispatch({ kind: `${timer} expired` }))
  }

  #after(timer: TimerName | 'send hold', ms: number, run: () => void): void {
    this.#stop(timer)
    const armed = this.#context.clock.after(ms, () => {
      this.#timers.delete(timer)
      run()
    })
    this.#timers.set(timer, armed)
  }

  #stop(timer: TimerName | 'send hold'): void {
    this.#timers.get(timer)?.cancel()
    this.#timers.delete(timer)
  }

  /** That of unsent data belongs to the connection and not to the state. */
  #cancel(): void {
    for (const timer of [...this.#timers.keys()]) if (timer !== 'send hold') this.#stop(timer)
  }
}

export function noMessages(): MessageCounts {
  return { open: 0, update: 0, notification: 0, keepalive: 0, 'route refresh': 0 }
}
