/** The heartbeats in the layer 2 thread: nothing that the main thread does delays a packet. */
import { writeSync } from 'node:fs'
import { receiveMessageOnPort } from 'node:worker_threads'
import { formatAddress, parseAddress } from '../../core/ip/index.ts'
import { Endpoint } from '../../protocols/heartbeat/index.ts'
import { hmacSha256 } from '../system/hmac.ts'
import { systemRandom } from '../system/random.ts'
import type { Companion } from './companion.ts'
import { MSG_DONTWAIT, read, sendto } from './ffi.ts'
import {
  type FromHeartbeats,
  type HeartbeatSetup,
  type OpenOptions,
  type RefusedHeartbeats,
  sharedMs,
  type ToHeartbeats,
} from './heartbeat-messages.ts'
import { isInspected } from './inspector.ts'
import { socketAddress, UdpReader } from './udp-message.ts'
import { Watchdog } from './watchdog.ts'

/** Packets that are read before requests are looked at. */
const DRAIN = 32
const LARGEST = 1500
/** A leave is said this often, so far apart: UDP loses packets. */
const LEAVES = 3
const LEAVE_GAP_MS = 20
const TELL_MS = 1000
const DESTINATIONS = 4096

interface Open {
  readonly options: OpenOptions
  readonly endpoint: Endpoint
  readonly reader: UdpReader
}

export class HeartbeatThread implements Companion {
  readonly #setup: HeartbeatSetup
  readonly #watchdog: Watchdog
  readonly #wakeCount = new Uint8Array(8)
  readonly #destinations = new Map<string, Uint8Array>()
  readonly #refused = new Map<string, RefusedHeartbeats>()
  #open: Open | undefined
  #fds: readonly number[]
  #seen = 0
  #tellMs = 0
  #leaves = 0
  #nextLeaveMs = Number.POSITIVE_INFINITY

  constructor(setup: HeartbeatSetup) {
    this.#setup = setup
    this.#fds = [setup.wakeFd]
    this.#watchdog = new Watchdog(() => Atomics.load(setup.pulse, 0), isInspected)
  }

  get fds(): readonly number[] {
    return this.#fds
  }

  get nextMs(): number {
    return Math.min(this.#open?.endpoint.nextMs ?? Number.POSITIVE_INFINITY, this.#nextLeaveMs)
  }

  turn(nowMs: number, isReady: (place: number) => boolean): void {
    if (isReady(1)) this.#receive(nowMs)
    if (isReady(0)) this.#readMessage(nowMs)
    if (this.#open === undefined) return
    if (nowMs >= this.#open.endpoint.nextMs) this.#open.endpoint.tick(nowMs)
    if (nowMs >= this.#nextLeaveMs) this.#leave(nowMs)
    this.#tell(nowMs)
    if (this.#watchdog.isDead(nowMs)) this.#end()
  }

  close(): void {
    this.#setup.port.close()
  }

  #receive(nowMs: number): void {
    if (this.#open === undefined) return
    const { options, endpoint, reader } = this.#open
    for (let count = 0; count < DRAIN; count++) {
      const bytes = reader.read(options.fd)
      if (bytes === undefined) return
      endpoint.receive(bytes, formatAddress(reader.source), nowMs)
    }
  }

  /** One at a time: the eventfd stays readable while there are more. */
  #readMessage(nowMs: number): void {
    read(this.#setup.wakeFd, this.#wakeCount, this.#wakeCount.length)
    const received = receiveMessageOnPort(this.#setup.port) as { message: ToHeartbeats } | undefined
    if (received !== undefined) this.#hear(received.message, nowMs)
  }

  #hear(message: ToHeartbeats, nowMs: number): void {
    if (message.kind === 'open') this.#start(message.options, nowMs)
    const endpoint = this.#open?.endpoint
    if (endpoint === undefined) return
    if (message.kind === 'peers') endpoint.discover(new Set(message.addresses))
    else if (message.kind === 'keys') endpoint.hmacs = message.secrets.map(hmacSha256)
    else if (message.kind === 'publish') endpoint.publish(message.interfaces)
    else if (message.kind === 'hold') endpoint.hold(message.held)
    else if (message.kind === 'activate') endpoint.activate()
    else if (message.kind === 'greet') endpoint.greetAll()
    else if (message.kind === 'leave') this.#leave(nowMs)
  }

  #start(options: OpenOptions, nowMs: number): void {
    const boot = new DataView(systemRandom.bytes(8).buffer).getBigUint64(0) | 1n // never 0
    const endpoint = new Endpoint(
      {
        ...{ node: options.node, boot, hmacs: options.secrets.map(hmacSha256) },
        send: (data, to) => this.#send(data, to),
        refused: (code, from, detail) => this.#note({ code, from, detail, times: 1 }),
      },
      nowMs,
    )
    this.#open = { options, endpoint, reader: new UdpReader(options.family, LARGEST) }
    this.#fds = [this.#setup.wakeFd, options.fd]
    endpoint.hold(options.held)
    if (options.active) endpoint.activate()
    endpoint.publish(options.interfaces)
    endpoint.discover(new Set(options.addresses))
  }

  /**
   * What `sendto` answers is not looked at: a packet that cannot be sent (no route, a full buffer) is one that does not
   * arrive, which the peer measures anyway, and the next follows within one interval. Told of each, a link that is down
   * would say so twenty times a second for each peer; netlink and the peers' silence say it once.
   */
  #send(data: Uint8Array, to: string): void {
    const destination = this.#destinations.get(to) ?? this.#destination(to)
    sendto(this.#open!.options.fd, data, data.length, MSG_DONTWAIT, destination, destination.length)
  }

  #destination(to: string): Uint8Array {
    const { family, port } = this.#open!.options
    if (this.#destinations.size >= DESTINATIONS) this.#destinations.clear()
    const destination = socketAddress(family, parseAddress(to), port)
    this.#destinations.set(to, destination)
    return destination
  }

  #leave(nowMs: number): void {
    if (this.#leaves === LEAVES) {
      this.#open = undefined
      this.#fds = [this.#setup.wakeFd]
      this.#nextLeaveMs = Number.POSITIVE_INFINITY
      this.#post({ kind: 'left' })
      return
    }
    this.#leaves++
    this.#open?.endpoint.leave()
    this.#nextLeaveMs = nowMs + LEAVE_GAP_MS
  }

  #note({ code, from, detail }: RefusedHeartbeats): void {
    this.#refused.set(code, { code, from, detail, times: (this.#refused.get(code)?.times ?? 0) + 1 })
  }

  #tell(nowMs: number): void {
    const endpoint = this.#open?.endpoint
    if (endpoint !== undefined && endpoint.changes !== this.#seen) {
      this.#seen = endpoint.changes
      const shift = sharedMs() - nowMs
      const evidence = [...endpoint.evidence()].map(
        ([node, one]) => [node, { ...one, heardMs: one.heardMs + shift }] as const,
      )
      this.#post({ kind: 'evidence', evidence: new Map(evidence) })
    }
    if (this.#refused.size === 0 || nowMs < this.#tellMs) return
    this.#tellMs = nowMs + TELL_MS
    this.#post({ kind: 'refused', refused: [...this.#refused.values()] })
    this.#refused.clear()
  }

  /** The main thread runs no more: rather than answer for a speaker that decides nothing, the process ends. */
  #end(): void {
    for (let said = 0; said < LEAVES; said++) this.#open?.endpoint.leave()
    const msg = 'the main thread does not run any more, ending the speaker'
    writeSync(2, `${JSON.stringify({ level: 'error', op: 'watchdog', msg, ts: new Date().toISOString() })}\n`)
    process.kill(process.pid, 'SIGKILL')
  }

  #post(message: FromHeartbeats): void {
    this.#setup.port.postMessage(message)
  }
}
