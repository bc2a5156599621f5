/**
 * The BFD thread: one loop that sleeps in `ppoll` until a packet, a timer or the main thread wakes it. Nothing that the
 * main thread does delays a packet. The sleep is finite because a thread that never returns would keep the process alive.
 */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import type { LivenessChange } from '../../ports/index.ts'
import { type Arrival, BfdError, decodeEcho, SessionTable } from '../../protocols/bfd/index.ts'
import { systemClock } from '../system/clock.ts'
import { systemRandom } from '../system/random.ts'
import { BfdEntry, type BfdEntryHost, peerName } from './bfd-entry.ts'
import { type BfdWorkerSetup, type FromBfdWorker, LEAVE, type ToBfdWorker } from './bfd-messages.ts'
import { BfdReceivers } from './bfd-receivers.ts'
import { becomeRealtime, read, takeShortTurns } from './ffi.ts'
import { PollSet } from './poll-set.ts'
import { END, RUN } from './supervision.ts'

const POLL_MS = 100
/** Packets of one socket that are read before timers are looked at. */
const DRAIN = 64
const STATUS_MS = 1000
const RETRY_MS = 1000
/** A process that stops does not wait longer than this for its AdminDown packets to repeat. */
const LEAVE_MS = 1000
const REALTIME_PRIORITY = 20
/** Handling a packet takes a tenth of this. */
const TURN_NS = 100_000

export function runBfdWorker(): void {
  if (parentPort === null) throw new Error('BFD runs in a worker thread')
  new BfdLoop(workerData as BfdWorkerSetup, parentPort).run()
}

class BfdLoop implements BfdEntryHost {
  readonly random = systemRandom
  readonly #setup: BfdWorkerSetup
  readonly #port: MessagePort
  readonly #table = new SessionTable<BfdEntry>()
  readonly #byId = new Map<number, BfdEntry>()
  readonly #receivers: BfdReceivers
  readonly #failures = new Set<string>()
  readonly #wakeCount = new Uint8Array(8)
  readonly #discarded = new Map<string, number>()
  #descriptors: PollSet | undefined
  #plannedAt = Infinity
  #late = 0
  #statusAt = 0
  #retryAt = Infinity
  #leavesAt = Infinity

  constructor(setup: BfdWorkerSetup, port: MessagePort) {
    this.#setup = setup
    this.#port = port
    this.#receivers = new BfdReceivers(({ family, multihop, device }, error) => {
      const port = multihop ? 4784 : 3784
      const where = `UDP port ${port}, ${family}${device === undefined ? '' : `, device ${device}`}`
      const hint = error.code === 'EADDRINUSE' ? ': another BFD daemon runs in this network namespace' : ''
      this.#warnOnce({ op: 'bfdListen', error: error.message, msg: `BFD cannot receive on ${where}${hint}` })
    })
  }

  run(): void {
    takeShortTurns(TURN_NS)
    if (this.#setup.realtime) becomeRealtime(REALTIME_PRIORITY)
    try {
      while (!this.#isOver()) this.#turn()
    } finally {
      for (const entry of this.#table.entries()) entry.close()
      this.#receivers.close()
    }
  }

  changed(entry: BfdEntry, change: LivenessChange): void {
    if (this.#byId.get(entry.id) !== entry) return // removed: nobody listens any more
    this.#post({ kind: 'change', id: entry.id, change })
    this.#post({ kind: 'status', id: entry.id, status: entry.status() })
  }

  rewatch(): void {
    this.#descriptors = undefined
  }

  failed(entry: BfdEntry, error: Error): void {
    const peer = peerName(entry.target)
    this.#post({
      kind: 'log',
      level: 'warn',
      fields: { op: 'bfdSend', peer, error: error.message, msg: 'BFD cannot send' },
    })
  }

  #turn(): void {
    const descriptors = this.#watched()
    this.#plannedAt = Math.min(this.#nextAt(), systemClock.monotonic() + POLL_MS)
    const ready = descriptors.waitPrecisely(Math.max(0, this.#plannedAt - systemClock.monotonic()))
    const lateMs = this.#lateness()
    if (ready > 0) {
      this.#drain()
      if (descriptors.isReady(0)) this.#readMessage()
    }
    this.#tick(lateMs)
    this.#housekeeping(systemClock.monotonic())
  }

  /** How long this thread was kept from running, where that is more than one interval (chapter 04 section 5.9). */
  #lateness(): number {
    const lateMs = systemClock.monotonic() - this.#plannedAt
    for (const { session } of this.#table.entries()) {
      const interval = session.transmitIntervalMs
      if (interval === 'never' || lateMs <= interval) continue
      this.#late++
      return lateMs
    }
    return 0
  }

  #drain(): void {
    for (const receiver of this.#receivers.list())
      for (let count = 0; count < DRAIN; count++) {
        const arrival = receiver.receive()
        if (arrival === undefined) break
        this.#receive(arrival)
      }
    for (const entry of this.#table.entries()) if (entry.echo !== undefined) this.#drainEcho(entry)
  }

  #receive(arrival: Arrival): void {
    this.#discarding(() => {
      this.#table.receive(arrival, systemClock.monotonic()).controlInput++
    })
  }

  #drainEcho({ echo }: BfdEntry): void {
    for (let count = 0; count < DRAIN; count++) {
      const bytes = echo?.receive()
      if (bytes === undefined) return
      this.#discarding(() => {
        const { discriminator, sequence } = decodeEcho(bytes)
        this.#table.get(discriminator)?.receiveEcho(sequence, systemClock.monotonic())
      })
    }
  }

  #discarding(work: () => void): void {
    try {
      work()
    } catch (error) {
      if (!(error instanceof BfdError)) throw error
      this.#discarded.set(error.code, (this.#discarded.get(error.code) ?? 0) + 1)
    }
  }

  #tick(lateMs: number): void {
    const isLate = [...this.#table.entries()].some(({ session }) => session.isLate(systemClock.monotonic()))
    if (isLate) this.#drain() // what waits in the socket proves the peer alive
    const now = systemClock.monotonic()
    for (const entry of [...this.#table.entries()]) {
      if (now >= entry.session.nextAt()) entry.session.tick(now, lateMs)
      if (now >= entry.endsAt) this.#forget(entry)
    }
  }

  #nextAt(): number {
    let next = Infinity
    for (const { session, endsAt } of this.#table.entries()) next = Math.min(next, session.nextAt(), endsAt)
    return next
  }

  /** One at a time: the eventfd stays readable while there are more. */
  #readMessage(): void {
    read(this.#setup.wakeFd, this.#wakeCount, this.#wakeCount.length)
    const received = receiveMessageOnPort(this.#port) as { message: ToBfdWorker } | undefined
    if (received === undefined) return
    const { message } = received
    const now = systemClock.monotonic()
    if (message.kind === 'add') this.#add(message)
    else if (message.kind === 'change') this.#byId.get(message.id)?.change(message.profile, now)
    else this.#remove(message.id, now)
  }

  #add({ id, target, profile }: Extract<ToBfdWorker, { kind: 'add' }>): void {
    const entry = new BfdEntry(id, this.#newDiscriminator(), target, profile, this)
    this.#byId.set(id, entry)
    this.#table.add(entry)
    this.#provide()
  }

  #remove(id: number, now: number): void {
    const entry = this.#byId.get(id)
    this.#byId.delete(id)
    if (entry !== undefined) entry.endsAt = now + entry.session.disable(now)
  }

  #forget(entry: BfdEntry): void {
    this.#table.delete(entry)
    entry.close()
    this.#provide()
  }

  /** Unique and hard to guess: it is all that names the session to a packet (RFC 5880 section 6.8.1). */
  #newDiscriminator(): number {
    for (;;) {
      const number = new DataView(this.random.bytes(4).buffer).getUint32(0)
      if (number !== 0 && !this.#table.has(number)) return number
    }
  }

  #provide(): void {
    const complete = this.#receivers.provide([...this.#table.entries()].map(({ target }) => target))
    this.#retryAt = complete ? Infinity : systemClock.monotonic() + RETRY_MS
    this.rewatch()
  }

  #watched(): PollSet {
    if (this.#descriptors !== undefined) return this.#descriptors
    const echoes = [...this.#table.entries()].flatMap(({ echo }) => (echo === undefined ? [] : [echo.fd]))
    this.#descriptors = new PollSet([this.#setup.wakeFd, ...this.#receivers.list().map(({ fd }) => fd), ...echoes])
    return this.#descriptors
  }

  #housekeeping(now: number): void {
    if (now >= this.#retryAt) this.#provide()
    if (now < this.#statusAt) return
    this.#statusAt = now + STATUS_MS
    for (const [id, entry] of this.#byId) this.#post({ kind: 'status', id, status: entry.status() })
    if (this.#late > 0) this.#post({ kind: 'late', times: this.#late })
    this.#late = 0
    for (const [reason, times] of this.#discarded) this.#post({ kind: 'discarded', reason, times })
    this.#discarded.clear()
  }

  #isOver(): boolean {
    const stop = Atomics.load(this.#setup.stop, 0)
    if (stop === RUN) return false
    if (stop === END) return true
    const now = systemClock.monotonic()
    if (stop === LEAVE && this.#leavesAt === Infinity) {
      this.#leavesAt = now + LEAVE_MS
      for (const id of [...this.#byId.keys()]) this.#remove(id, now)
    }
    return now >= this.#leavesAt || [...this.#table.entries()].length === 0
  }

  #warnOnce(fields: { op: string; error: string; msg: string }): void {
    const text = JSON.stringify(fields)
    if (this.#failures.has(text)) return
    this.#failures.add(text)
    this.#post({ kind: 'log', level: 'warn', fields })
  }

  #post(message: FromBfdWorker): void {
    this.#port.postMessage(message)
  }
}
