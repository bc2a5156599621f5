/**
 * One session: the variables of RFC 5880 section 6.8.1 and when to send. The driver hands in packets and calls `tick` at
 * `nextAt`; time is monotonic milliseconds. Demand mode is honoured in the peer and never asked for.
 */
import type { LivenessChange, LivenessState, Random } from '../../ports/index.ts'
import { ADMINISTRATIVELY_DOWN, NO_DIAGNOSTIC } from './diagnostic.ts'
import { EchoRun } from './echo-run.ts'
import type { ControlPacket } from './packet.ts'
import { type StateEvent, step, type Transition } from './step.ts'
import { type BfdSettings, detectionTime, echoInterval, jitter, SLOW_MS, transmitInterval } from './timing.ts'

export interface SessionOptions {
  /** Unique on this host, random, not 0. */
  readonly discriminator: number
  readonly settings: BfdSettings
  readonly random: Random
  /** Whether this host sends the peer's echo packets back: only then is that promised. */
  readonly returnsEcho: boolean
  send(packet: ControlPacket): void
  /** Absent where the path knows no echo: IPv6 and multihop. */
  readonly sendEcho?: (sequence: number) => void
  changed(change: LivenessChange): void
}

/** What the remote system said last. */
interface Remote {
  readonly discriminator: number
  readonly state: LivenessState
  readonly diagnostic: number
  readonly minRxMs: number
  readonly desiredTxMs: number
  readonly minEchoRxMs: number
  readonly multiplier: number
  readonly demand: boolean
}

const UNKNOWN: Remote = {
  discriminator: 0,
  state: 'down',
  diagnostic: NO_DIAGNOSTIC,
  minRxMs: 0.001, // one microsecond, section 6.8.1
  desiredTxMs: 0,
  minEchoRxMs: 0,
  multiplier: 0,
  demand: false,
}

export class Session {
  readonly #options: SessionOptions
  readonly #echo: EchoRun | undefined
  #settings: BfdSettings
  #state: LivenessState = 'down'
  #diagnostic = NO_DIAGNOSTIC
  #remote = UNKNOWN
  /** In use; what is announced may differ until the poll sequence ends (section 6.8.3). */
  #transmitMs = SLOW_MS
  #receiveMs: number
  #poll: 'none' | 'polling' | 'polling, then again' = 'none'
  #sentAt = -Infinity
  #factor = 1
  #receivedAt = -Infinity
  /** How long this thread was late since the last packet: not held against the peer. */
  #excusedMs = 0

  constructor(options: SessionOptions) {
    this.#options = options
    this.#settings = options.settings
    this.#receiveMs = options.settings.receiveMs
    this.#echo = options.sendEcho && new EchoRun(options.random, options.sendEcho)
  }

  get discriminator(): number {
    return this.#options.discriminator
  }

  get state(): LivenessState {
    return this.#state
  }

  get diagnostic(): number {
    return this.#diagnostic
  }

  get remote(): Readonly<Remote> {
    return this.#remote
  }

  get settings(): BfdSettings {
    return this.#settings
  }

  get polling(): boolean {
    return this.#poll !== 'none'
  }

  /** Before jitter. */
  get transmitIntervalMs(): number | 'never' {
    return transmitInterval(this.#transmitMs, this.#remote.minRxMs)
  }

  get detectionTimeMs(): number {
    return detectionTime(this.#remote.multiplier, this.#receiveMs, this.#remote.desiredTxMs)
  }

  get echoIntervalMs(): number | 'never' {
    const { echo, echoMs } = this.#settings
    const runs = echo && this.#echo !== undefined && this.#state === 'up' && this.#remote.state === 'up'
    return runs ? echoInterval(echoMs, this.#remote.minEchoRxMs) : 'never' // section 6.8.9
  }

  /** A packet that passed every check, section 6.8.6 from "set bfd.RemoteDiscr" on. */
  receive(packet: ControlPacket, now: number): void {
    this.#remote = {
      discriminator: packet.myDiscriminator,
      state: packet.state,
      diagnostic: packet.diagnostic,
      minRxMs: packet.requiredMinRx / 1000,
      desiredTxMs: packet.desiredMinTx / 1000,
      minEchoRxMs: packet.requiredMinEchoRx / 1000,
      multiplier: packet.detectMultiplier,
      demand: packet.demand,
    }
    this.#receivedAt = now
    this.#excusedMs = 0
    if (packet.final && this.#poll !== 'none') this.#endPoll()
    if (this.#state === 'adminDown') return
    this.#enter(step(this.#state, { received: packet.state }), now)
    if (packet.poll) this.#send(now, true) // at once, whatever the timer (section 6.8.7)
    this.#echo?.run(this.echoIntervalMs, this.#settings.multiplier, now)
  }

  /** One of our echo packets came back. */
  receiveEcho(sequence: number, now: number): void {
    this.#echo?.receive(sequence, now)
  }

  /** Whether a time-out is due: the driver looks for waiting packets before it calls `tick`. */
  isLate(now: number): boolean {
    return now >= this.#detectAt() || now >= (this.#echo?.failsAt ?? Infinity)
  }

  /** `lateMs`: by how much the driver comes later than it was asked to (chapter 04 section 5.9). */
  tick(now: number, lateMs = 0): void {
    if (this.isLate(now) && lateMs > 0 && this.#excusedMs === 0) this.#excuse(lateMs)
    if (now >= this.#detectAt()) this.#expire(now)
    else if (now >= (this.#echo?.failsAt ?? Infinity)) this.#happen('echo failed', now)
    if (now >= this.#sendAt()) this.#send(now, false)
    this.#echo?.tick(now)
  }

  nextAt(): number {
    return Math.min(this.#detectAt(), this.#sendAt(), this.#echo?.nextAt ?? Infinity)
  }

  /** New settings in place: a poll sequence announces them while the session is up (section 6.8.3). */
  change(settings: BfdSettings, now: number): void {
    const before = this.#settings
    this.#settings = settings
    if (this.#state !== 'up') this.#apply()
    else {
      if (settings.transmitMs < before.transmitMs) this.#transmitMs = settings.transmitMs // an increase waits for the final
      if (settings.receiveMs > before.receiveMs) this.#receiveMs = settings.receiveMs // a decrease does
      this.#startPoll()
      this.#send(now, false)
    }
    this.#echo?.run(this.echoIntervalMs, settings.multiplier, now)
  }

  /** Stopped on this side. Answers how long the driver goes on, one detection time of the peer (section 6.8.16). */
  disable(now: number): number {
    const unheard = this.#remote.discriminator === 0
    this.#enter({ state: 'adminDown', diagnostic: ADMINISTRATIVELY_DOWN, cause: 'adminDown' }, now)
    const interval = this.transmitIntervalMs
    return unheard ? 0 : this.#settings.multiplier * (interval === 'never' ? SLOW_MS : interval)
  }

  #happen(event: StateEvent, now: number): void {
    this.#enter(step(this.#state, event), now)
  }

  #enter(transition: Transition | undefined, now: number): void {
    if (transition === undefined) return
    const before = this.#state
    this.#state = transition.state
    this.#diagnostic = transition.diagnostic ?? this.#diagnostic
    this.#poll = 'none'
    this.#apply()
    if (this.#state === 'up') this.#startPoll() // from the slow interval to ours, section 6.8.3
    this.#echo?.run(this.echoIntervalMs, this.#settings.multiplier, now)
    this.#send(now, false) // the peer is not kept waiting for the old timer
    const { diagnostic: remoteDiagnostic } = this.#remote
    const { state, cause } = transition
    this.#options.changed({ state, before, cause, diagnostic: this.#diagnostic, remoteDiagnostic })
  }

  #expire(now: number): void {
    this.#remote = { ...UNKNOWN, diagnostic: this.#remote.diagnostic } // section 6.8.1: a detection time without a packet
    this.#happen('detection time expired', now)
  }

  #excuse(lateMs: number): void {
    this.#excusedMs = lateMs
    this.#echo?.excuse(lateMs)
  }

  #startPoll(): void {
    this.#poll = this.#poll === 'none' ? 'polling' : 'polling, then again' // the final may answer the older values
  }

  #endPoll(): void {
    const again = this.#poll === 'polling, then again'
    this.#poll = again ? 'polling' : 'none'
    if (!again) this.#apply()
  }

  /** What is announced is in use from now on. */
  #apply(): void {
    this.#transmitMs = this.#desiredTxMs()
    this.#receiveMs = this.#settings.receiveMs
  }

  #desiredTxMs(): number {
    return this.#state === 'up' ? this.#settings.transmitMs : Math.max(SLOW_MS, this.#settings.transmitMs)
  }

  /** Section 6.8.4; the detection time runs in every state while the remote system is known (section 6.8.1). */
  #detectAt(): number {
    if (this.#remote.discriminator === 0 || this.#state === 'adminDown') return Infinity
    return this.#receivedAt + this.detectionTimeMs + this.#excusedMs
  }

  #sendAt(): number {
    const interval = this.transmitIntervalMs
    if (interval === 'never' || this.#staysSilent()) return Infinity
    return this.#sentAt + this.#factor * interval
  }

  /** Section 6.8.7: the passive role until the peer has spoken, and a peer in demand mode. */
  #staysSilent(): boolean {
    if (this.#settings.passive && this.#remote.discriminator === 0) return true
    return this.#remote.demand && this.#state === 'up' && this.#remote.state === 'up' && this.#poll === 'none'
  }

  #send(now: number, final: boolean): void {
    const { discriminator, random, returnsEcho } = this.#options
    const { multiplier, receiveMs, echoMs } = this.#settings
    if (!final && this.#settings.passive && this.#remote.discriminator === 0) return
    this.#options.send({
      diagnostic: this.#diagnostic,
      state: this.#state,
      poll: !final && this.#poll !== 'none',
      final,
      controlPlaneIndependent: false,
      demand: false,
      detectMultiplier: multiplier,
      myDiscriminator: discriminator,
      yourDiscriminator: this.#remote.discriminator,
      desiredMinTx: this.#desiredTxMs() * 1000,
      requiredMinRx: receiveMs * 1000,
      requiredMinEchoRx: returnsEcho ? echoMs * 1000 : 0,
    })
    if (final) return
    this.#sentAt = now
    this.#factor = jitter(multiplier, random.next())
  }
}
