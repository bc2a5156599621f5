/** One session of the BFD thread with its sockets, and what it counts. */
import type { BfdProfile } from '../../core/config/index.ts'
import { formatAddress } from '../../core/ip/index.ts'
import type { LivenessChange, LivenessStatus, LivenessTarget, Random } from '../../ports/index.ts'
import {
  type ControlPacket,
  type Entry,
  encodeControl,
  encodeEcho,
  Session,
  settingsOf,
} from '../../protocols/bfd/index.ts'
import { BfdEchoSocket, echoPath, forwards, neighborMac } from './bfd-echo-socket.ts'
import { BfdSender } from './bfd-sockets.ts'
import { SystemError } from './ffi.ts'
import { NetlinkReader } from './netlink.ts'

export interface BfdEntryHost {
  readonly random: Random
  changed(entry: BfdEntry, change: LivenessChange): void
  /** Its echo socket was opened or closed. */
  rewatch(): void
  failed(entry: BfdEntry, error: SystemError): void
}

export class BfdEntry implements Entry {
  readonly id: number
  readonly target: LivenessTarget
  readonly session: Session
  /** When an entry that was removed is forgotten. */
  endsAt = Infinity
  controlInput = 0
  #controlOutput = 0
  #echoInput = 0
  #echoOutput = 0
  #upEvents = 0
  #downEvents = 0
  #profile: BfdProfile
  readonly #host: BfdEntryHost
  readonly #sender: BfdSender
  #echo: BfdEchoSocket | undefined
  #lastError = ''

  constructor(id: number, discriminator: number, target: LivenessTarget, profile: BfdProfile, host: BfdEntryHost) {
    this.id = id
    this.target = target
    this.#host = host
    this.#profile = profile
    this.#sender = new BfdSender(target, host.random)
    const knowsEcho = !target.multihop && target.peer.family === 'ipv4'
    this.session = new Session({
      discriminator,
      settings: settingsOf(profile),
      random: host.random,
      returnsEcho: knowsEcho && forwards(target.interface),
      send: packet => this.#send(packet),
      ...(knowsEcho ? { sendEcho: sequence => this.#sendEcho(sequence) } : {}),
      changed: change => this.#changed(change),
    })
  }

  get echo(): BfdEchoSocket | undefined {
    return this.#echo
  }

  change(profile: BfdProfile, now: number): void {
    this.#profile = profile
    this.session.change(settingsOf(profile), now)
  }

  receiveEcho(sequence: number, now: number): void {
    this.#echoInput++
    this.session.receiveEcho(sequence, now)
  }

  close(): void {
    this.#sender.close()
    this.#closeEcho()
  }

  status(): LivenessStatus {
    const { session } = this
    const interval = session.transmitIntervalMs
    const echo = session.echoIntervalMs
    return {
      ...this.target,
      profile: this.#profile,
      state: session.state,
      remoteState: session.remote.state,
      diagnostic: session.diagnostic,
      remoteDiagnostic: session.remote.diagnostic,
      discriminator: session.discriminator,
      remoteDiscriminator: session.remote.discriminator,
      transmitIntervalMs: interval === 'never' ? 0 : interval,
      detectionTimeMs: session.detectionTimeMs,
      echoIntervalMs: echo === 'never' ? 'off' : echo,
      controlInput: this.controlInput,
      controlOutput: this.#controlOutput,
      echoInput: this.#echoInput,
      echoOutput: this.#echoOutput,
      upEvents: this.#upEvents,
      downEvents: this.#downEvents,
    }
  }

  #changed(change: LivenessChange): void {
    if (change.state === 'up') this.#upEvents++
    if (change.before === 'up') this.#downEvents++
    if (change.state !== 'up') this.#closeEcho() // by the next time the link may be another, or our address
    this.#host.changed(this, change)
  }

  #send(packet: ControlPacket): void {
    this.#controlOutput++
    this.#try(() => this.#sender.send(encodeControl(packet)))
  }

  #sendEcho(sequence: number): void {
    this.#try(() => {
      const echo = this.#openEcho()
      const mac = neighborMac(this.target.peer)
      if (echo === undefined || mac === undefined) return
      this.#echoOutput++
      echo.send(encodeEcho({ discriminator: this.session.discriminator, sequence }), mac)
    })
  }

  #openEcho(): BfdEchoSocket | undefined {
    if (this.#echo !== undefined) return this.#echo
    const interfaces = new NetlinkReader()
    const path = echoPath(interfaces.current(), this.target)
    interfaces.close()
    if (path === undefined) return undefined
    this.#echo = new BfdEchoSocket(path)
    this.#host.rewatch()
    return this.#echo
  }

  #closeEcho(): void {
    if (this.#echo === undefined) return
    this.#echo.close()
    this.#echo = undefined
    this.#host.rewatch()
  }

  /** A packet that cannot be sent is a packet lost; the reason is told once. */
  #try(send: () => void): void {
    try {
      send()
      this.#lastError = ''
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      if (error.message === this.#lastError) return
      this.#lastError = error.message
      this.#host.failed(this, error)
    }
  }
}

/** As in the `peer` label: a link-local address alone would not say which. */
export function peerName({ peer, interface: device }: LivenessTarget): string {
  const text = formatAddress(peer)
  const linkLocal = peer.family === 'ipv6' && peer.value >> 118n === 0x3fan // fe80::/10
  return linkLocal && device !== undefined ? `${text}%${device}` : text
}
