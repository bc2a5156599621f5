/** The main thread's side of the heartbeats: it owns the socket, and brings up what their thread finds out. */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Address } from '../../core/ip/index.ts'
import type { Clock, DirectEvidence, Heartbeats, Timer } from '../../ports/index.ts'
import { AF_INET, AF_INET6, bind, close, eventfd, SOCK_DGRAM, setsockopt, socket, write } from './ffi.ts'
import {
  type FromHeartbeats,
  type HeartbeatSetup,
  type RefusedHeartbeats,
  sharedMs,
  type ToHeartbeats,
} from './heartbeat-messages.ts'
import { int32 } from './socket-options.ts'
import { socketAddress } from './udp-message.ts'

export interface LinuxHeartbeatOptions {
  readonly node: string
  /** To bind; the peers listen on the same port. */
  readonly address: Address
  readonly port: number
  /** The own key first; without any only known addresses are believed. */
  readonly secrets: readonly Uint8Array[]
  /** Tells the addresses where the other speakers are, from now on and until the answer is called. */
  readonly follow: (found: (addresses: ReadonlySet<string>) => void) => () => void
  readonly refused: (refused: RefusedHeartbeats) => void
  readonly clock: Clock
}

const PULSE_MS = 1000
/** The thread says its three leaves within this time. */
const LEAVE_MS = 500
const RECEIVE_BUFFER = 1 << 20
const SOL_SOCKET = 1
const SO_RCVBUF = 8
/** What is written to an eventfd: any 64-bit number but 0. */
const ONE = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0)

export class LinuxHeartbeats implements Heartbeats {
  readonly #options: LinuxHeartbeatOptions
  readonly #pulse = new Int32Array(new SharedArrayBuffer(4))
  #secrets: readonly Uint8Array[]
  #wakeFd = -1
  #fd = -1
  #thread: MessagePort | undefined
  #evidence: ReadonlyMap<string, DirectEvidence> = new Map()
  #addresses: readonly string[] = []
  #interfaces: readonly string[] | undefined
  #active = false
  #held = false
  #watcher = () => {}
  #unfollow = () => {}
  #beat: Timer | undefined
  #left = () => {}

  constructor(options: LinuxHeartbeatOptions) {
    this.#options = options
    this.#secrets = options.secrets
  }

  /** What a new life of the thread is given; it goes on with all that is known here. @throws SystemError */
  companion(): { data: HeartbeatSetup; transfer: [MessagePort] } {
    if (this.#wakeFd < 0) this.#wakeFd = eventfd()
    const { port1, port2 } = new MessageChannel()
    this.#thread?.close()
    this.#thread = port1
    port1.on('message', (message: FromHeartbeats) => this.#hear(message))
    port1.on('close', () => this.#left()) // the thread died
    port1.unref()
    if (this.#fd >= 0) this.#open()
    return { data: { port: port2, wakeFd: this.#wakeFd, pulse: this.#pulse }, transfer: [port2] }
  }

  /** Rejects where the address or port cannot be had. */
  async start(): Promise<void> {
    const { address, port, follow } = this.#options
    const { family } = address
    const fd = socket(family === 'ipv4' ? AF_INET : AF_INET6, SOCK_DGRAM, 0)
    try {
      setsockopt(fd, SOL_SOCKET, SO_RCVBUF, int32(RECEIVE_BUFFER))
      bind(fd, socketAddress(family, address, port))
    } catch (error) {
      close(fd)
      throw new Error(`heartbeats: UDP port ${port}: ${(error as Error).message}`, { cause: error })
    }
    this.#fd = fd
    this.#open()
    this.#beatOn()
    this.#unfollow = follow(found => {
      this.#addresses = [...found]
      this.#post({ kind: 'peers', addresses: this.#addresses })
    })
  }

  /**
   * Says that this speaker leaves. From then on a new life of the thread is told nothing, and the socket is closed once no
   * life uses it: not before, because its number would go to another one.
   */
  async stop(): Promise<void> {
    if (this.#fd < 0) return
    this.#unfollow()
    const left = new Promise<void>(resolve => {
      this.#left = resolve
    })
    this.#post({ kind: 'leave' })
    if (this.#thread === undefined) this.#left()
    const fd = this.#fd
    this.#fd = -1
    void left.then(() => {
      this.#thread?.close()
      close(fd) // the thread still sleeps on the eventfd
    })
    await this.#within(LEAVE_MS, left)
    this.#beat?.cancel()
  }

  evidence(): ReadonlyMap<string, DirectEvidence> {
    return this.#evidence
  }

  watch(watcher: () => void): void {
    this.#watcher = watcher
  }

  rejoin(): void {
    this.#post({ kind: 'greet' })
  }

  activate(): void {
    this.#active = true
    this.#post({ kind: 'activate' })
  }

  publish(interfaces: readonly string[] | undefined): void {
    this.#interfaces = interfaces
    this.#post({ kind: 'publish', interfaces })
  }

  hold(held: boolean): void {
    this.#held = held
    this.#post({ kind: 'hold', held })
  }

  /** New keys, the own first, from the next packet on. */
  set secrets(secrets: readonly Uint8Array[]) {
    this.#secrets = secrets
    this.#post({ kind: 'keys', secrets })
  }

  async #within(ms: number, done: Promise<void>): Promise<void> {
    await new Promise<void>(resolve => {
      const limit = this.#options.clock.after(ms, resolve)
      void done.then(() => {
        limit.cancel()
        resolve()
      })
    })
  }

  #open(): void {
    const { node, address, port } = this.#options
    const socket = { node, family: address.family, fd: this.#fd, port }
    const known = { addresses: this.#addresses, interfaces: this.#interfaces, active: this.#active, held: this.#held }
    this.#post({ kind: 'open', options: { ...socket, ...known, secrets: this.#secrets } })
  }

  /** A sign of life for the thread's watchdog. */
  #beatOn(): void {
    Atomics.add(this.#pulse, 0, 1)
    this.#beat = this.#options.clock.after(PULSE_MS, () => this.#beatOn())
  }

  #hear(message: FromHeartbeats): void {
    if (message.kind === 'refused') for (const one of message.refused) this.#options.refused(one)
    else if (message.kind === 'left') this.#left()
    else {
      const shift = this.#options.clock.monotonic() - sharedMs()
      const evidence = [...message.evidence].map(
        ([node, one]) => [node, { ...one, heardMs: one.heardMs + shift }] as const,
      )
      this.#evidence = new Map(evidence)
      this.#watcher()
    }
  }

  #post(message: ToHeartbeats): void {
    if (this.#thread === undefined || this.#fd < 0) return // it is told everything when it starts
    this.#thread.postMessage(message)
    write(this.#wakeFd, ONE, ONE.length)
  }
}
