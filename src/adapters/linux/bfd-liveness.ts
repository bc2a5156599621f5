/** The main thread's side of BFD: starts the thread, hands over sessions, and brings up what it says. */
import { Worker } from 'node:worker_threads'
import type { BfdProfile } from '../../core/config/index.ts'
import { formatAddress } from '../../core/ip/index.ts'
import type {
  Clock,
  Liveness,
  LivenessChange,
  LivenessState,
  LivenessStatus,
  LivenessTarget,
  LivenessWatch,
  Logger,
  Metrics,
  Task,
  Timer,
} from '../../ports/index.ts'
import { describeDiagnostic, settingsOf } from '../../protocols/bfd/index.ts'
import { peerName } from './bfd-entry.ts'
import { type BfdWorkerSetup, END, type FromBfdWorker, LEAVE, RUN, type ToBfdWorker } from './bfd-messages.ts'
import { BfdMetrics, type Counts, NO_COUNTS } from './bfd-metrics.ts'
import { close, eventfd, write } from './ffi.ts'

const FIRST_RESTART_MS = 100
const LONGEST_RESTART_MS = 10_000
const STABLE_MS = 30_000
/** Below this, what delays a packet on an ordinary host ends the session (chapter 04 section 5.9). */
const SHORT_DETECTION_MS = 150
/** What is written to an eventfd: any 64-bit number but 0. */
const ONE = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0)

export interface LinuxLivenessOptions {
  /** Of the worker's entry, `runBfdWorker`. */
  readonly worker: URL
  readonly log: Logger
  readonly metrics: Metrics
  readonly clock: Clock
  /** Ask for SCHED_FIFO, the default; it is granted with CAP_SYS_NICE. */
  readonly realtime?: boolean
}

interface Watched {
  readonly id: number
  readonly target: LivenessTarget
  readonly listeners: Set<(change: LivenessChange) => void>
  profile: BfdProfile
  state: LivenessState
  status: LivenessStatus | undefined
  counts: Counts
}

export class LinuxLiveness implements Liveness, Task {
  readonly name = 'BFD'
  readonly #options: LinuxLivenessOptions
  readonly #metrics: BfdMetrics
  readonly #byKey = new Map<string, Watched>()
  readonly #byId = new Map<number, Watched>()
  readonly #stop = new Int32Array(new SharedArrayBuffer(4))
  readonly #onExit = () => this.#end(END)
  #wakeFd = -1
  #worker: Worker | undefined
  #lastId = 0
  #restarting: Timer | undefined
  #restartMs = FIRST_RESTART_MS
  #startedAt = 0

  constructor(options: LinuxLivenessOptions) {
    this.#options = options
    this.#metrics = new BfdMetrics(options.metrics)
  }

  /** The thread starts with the first session: most speakers have none, and it costs 10 MB. @throws SystemError */
  start(): void {
    Atomics.store(this.#stop, 0, RUN)
    this.#wakeFd = eventfd()
    process.on('exit', this.#onExit)
    if (this.#byId.size > 0) this.#startWorker()
  }

  /** Every session is announced AdminDown, for at most a second. */
  async stop(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    this.#restarting?.cancel()
    if (worker !== undefined) {
      const exited = new Promise(resolve => worker.once('exit', resolve))
      this.#end(LEAVE)
      await exited
    }
    process.off('exit', this.#onExit)
    close(this.#wakeFd)
    this.#wakeFd = -1
  }

  ready(): true | string {
    return this.#restarting === undefined ? true : 'the BFD thread is being restarted'
  }

  watch(target: LivenessTarget, profile: BfdProfile, listener: (change: LivenessChange) => void): LivenessWatch {
    const watched = this.#byKey.get(keyOf(target)) ?? this.#add(target, profile)
    const own = (change: LivenessChange) => listener(change) // the same function may watch twice
    watched.listeners.add(own)
    this.#change(watched, profile)
    return {
      get state() {
        return watched.state
      },
      change: next => this.#change(watched, next),
      close: () => this.#unwatch(watched, own),
    }
  }

  sessions(): readonly LivenessStatus[] {
    return [...this.#byId.values()].flatMap(({ status }) => (status === undefined ? [] : [status]))
  }

  #add(target: LivenessTarget, profile: BfdProfile): Watched {
    const id = ++this.#lastId
    const listeners = new Set<(change: LivenessChange) => void>()
    const watched: Watched = { id, target, listeners, profile, state: 'down', status: undefined, counts: NO_COUNTS }
    this.#byKey.set(keyOf(target), watched)
    this.#byId.set(id, watched)
    this.#metrics.up.set(0, { peer: peerName(target) })
    this.#warnWhereShort(target, profile)
    if (this.#worker !== undefined) this.#post({ kind: 'add', id, target, profile })
    else if (this.#wakeFd >= 0 && this.#restarting === undefined) this.#startWorker()
    return watched
  }

  #change(watched: Watched, profile: BfdProfile): void {
    const same = JSON.stringify(settingsOf(profile)) === JSON.stringify(settingsOf(watched.profile))
    watched.profile = profile
    if (same) return
    this.#warnWhereShort(watched.target, profile)
    this.#post({ kind: 'change', id: watched.id, profile })
  }

  #unwatch(watched: Watched, listener: (change: LivenessChange) => void): void {
    if (!watched.listeners.delete(listener) || watched.listeners.size > 0) return
    this.#byKey.delete(keyOf(watched.target))
    this.#byId.delete(watched.id)
    this.#metrics.up.remove({ peer: peerName(watched.target) })
    this.#post({ kind: 'remove', id: watched.id })
  }

  #warnWhereShort(target: LivenessTarget, profile: BfdProfile): void {
    const { multiplier, receiveMs } = settingsOf(profile)
    const detectionMs = multiplier * receiveMs
    if (detectionMs >= SHORT_DETECTION_MS) return
    const msg = `a detection time of ${detectionMs} ms may end sessions of living peers where the node is busy`
    this.#options.log.warn({ op: 'bfdSession', peer: peerName(target), profile: profile.name, msg })
  }

  #startWorker(): void {
    const { worker: url, realtime = true, clock } = this.#options
    const setup: BfdWorkerSetup = { wakeFd: this.#wakeFd, stop: this.#stop, realtime }
    const worker = new Worker(url, { name: 'bfd', workerData: setup })
    this.#worker = worker
    this.#restarting = undefined
    this.#startedAt = clock.monotonic()
    worker.on('message', (message: FromBfdWorker) => this.#hear(message))
    worker.on('error', error => this.#logDeath(error))
    worker.on('exit', () => this.#restartLater(worker))
    for (const { id, target, profile } of this.#byId.values()) this.#post({ kind: 'add', id, target, profile })
  }

  #logDeath(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error)
    this.#options.log.error({ op: 'bfd', error: text, msg: 'the BFD thread died, restarting it' })
  }

  /** With the sessions it had, and ever later while it keeps dying. */
  #restartLater(worker: Worker): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    for (const watched of this.#byId.values()) this.#noteRestart(watched)
    const { clock } = this.#options
    if (clock.monotonic() - this.#startedAt > STABLE_MS) this.#restartMs = FIRST_RESTART_MS
    this.#restarting = clock.after(this.#restartMs, () => this.#startWorker())
    this.#restartMs = Math.min(2 * this.#restartMs, LONGEST_RESTART_MS)
  }

  #noteRestart(watched: Watched): void {
    watched.counts = NO_COUNTS // the next thread counts from 0
    const { state: before } = watched
    if (before === 'down') return
    this.#tell(watched, { state: 'down', before, cause: 'restarted', diagnostic: 0, remoteDiagnostic: 0 })
  }

  #hear(message: FromBfdWorker): void {
    switch (message.kind) {
      case 'change':
        this.#hearChange(message.id, message.change)
        break
      case 'status':
        this.#hearStatus(message.id, message.status)
        break
      case 'late':
        this.#metrics.late.inc(undefined, message.times)
        break
      case 'discarded':
        this.#metrics.discarded.inc({ reason: message.reason }, message.times)
        break
      case 'log':
        this.#options.log[message.level](message.fields)
    }
  }

  #hearStatus(id: number, status: LivenessStatus): void {
    const watched = this.#byId.get(id)
    if (watched === undefined) return
    this.#metrics.report(peerName(watched.target), watched.counts, status)
    watched.status = status
    watched.counts = status
  }

  #hearChange(id: number, change: LivenessChange): void {
    const watched = this.#byId.get(id)
    if (watched !== undefined) this.#tell(watched, change)
  }

  #tell(watched: Watched, change: LivenessChange): void {
    const peer = peerName(watched.target)
    watched.state = change.state
    this.#metrics.up.set(change.state === 'up' ? 1 : 0, { peer })
    this.#metrics.notifications.inc({ peer })
    this.#log(watched.target, change)
    for (const listener of [...watched.listeners]) listener(change)
  }

  #log(target: LivenessTarget, { state, before, cause, diagnostic }: LivenessChange): void {
    if (state !== 'up' && before !== 'up') return
    const fields = { op: 'bfd', peer: peerName(target), interface: target.interface, state, cause }
    const { log } = this.#options
    if (state === 'up') log.info({ ...fields, msg: 'BFD session up' })
    else log.warn({ ...fields, diagnostic: describeDiagnostic(diagnostic), msg: 'BFD session down' })
  }

  #post(message: ToBfdWorker): void {
    if (this.#worker === undefined) return // it is told everything when it starts
    this.#worker.postMessage(message)
    this.#wake()
  }

  #end(how: typeof LEAVE | typeof END): void {
    Atomics.store(this.#stop, 0, how)
    this.#wake()
  }

  #wake(): void {
    write(this.#wakeFd, ONE, ONE.length)
  }
}

function keyOf({ peer, local, interface: device = '', multihop }: LivenessTarget): string {
  return `${multihop} ${formatAddress(peer)} ${local === undefined ? '' : formatAddress(local)} ${device}`
}
