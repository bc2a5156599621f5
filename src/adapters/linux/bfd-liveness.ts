/** The main thread's side of BFD: starts the thread, hands over sessions, and brings up what it says. */
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
} from '../../ports/index.ts'
import { describeDiagnostic, settingsOf } from '../../protocols/bfd/index.ts'
import { peerName } from './bfd-entry.ts'
import { type BfdWorkerSetup, type FromBfdWorker, LEAVE, type ToBfdWorker } from './bfd-messages.ts'
import { BfdMetrics, type Counts, NO_COUNTS } from './bfd-metrics.ts'
import { SupervisedWorker } from './supervised-worker.ts'

/** Below this, what delays a packet on an ordinary host ends the session (chapter 04 section 5.9). */
const SHORT_DETECTION_MS = 150

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
  readonly #thread: SupervisedWorker<FromBfdWorker, ToBfdWorker>
  #lastId = 0

  constructor(options: LinuxLivenessOptions) {
    this.#options = options
    this.#metrics = new BfdMetrics(options.metrics)
    const { worker: url, log, clock, realtime = true } = options
    this.#thread = new SupervisedWorker({
      ...{ url, log, clock, name: 'bfd', op: 'bfd', what: 'BFD thread' },
      prepare: supervision => ({ data: { ...supervision, realtime } satisfies BfdWorkerSetup }),
      begun: () => this.#tellAll(),
      heard: message => this.#hear(message),
      died: () => this.#noteDeath(),
    })
  }

  /** The thread starts with the first session: most speakers have none, and it costs 10 MB. @throws SystemError */
  start(): void {
    this.#thread.open()
    if (this.#byId.size > 0) this.#thread.run()
  }

  /** Every session is announced AdminDown, for at most a second. */
  stop(): Promise<void> {
    return this.#thread.stop(LEAVE)
  }

  ready(): true | string {
    return this.#thread.isRestarting ? 'the BFD thread is being restarted' : true
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
    this.#metrics.begin(target)
    this.#warnWhereShort(target, profile)
    this.#thread.post({ kind: 'add', id, target, profile })
    this.#thread.run()
    return watched
  }

  #change(watched: Watched, profile: BfdProfile): void {
    const same = JSON.stringify(settingsOf(profile)) === JSON.stringify(settingsOf(watched.profile))
    watched.profile = profile
    if (same) return
    this.#warnWhereShort(watched.target, profile)
    this.#thread.post({ kind: 'change', id: watched.id, profile })
  }

  #unwatch(watched: Watched, listener: (change: LivenessChange) => void): void {
    if (!watched.listeners.delete(listener) || watched.listeners.size > 0) return
    this.#byKey.delete(keyOf(watched.target))
    this.#byId.delete(watched.id)
    this.#metrics.end(watched.target)
    this.#thread.post({ kind: 'remove', id: watched.id })
  }

  #warnWhereShort(target: LivenessTarget, profile: BfdProfile): void {
    const { multiplier, receiveMs } = settingsOf(profile)
    const detectionMs = multiplier * receiveMs
    if (detectionMs >= SHORT_DETECTION_MS) return
    const msg = `a detection time of ${detectionMs} ms may end sessions of living peers where the node is busy`
    this.#options.log.warn({ op: 'bfdSession', peer: peerName(target), profile: profile.name, msg })
  }

  #tellAll(): void {
    for (const { id, target, profile } of this.#byId.values()) this.#thread.post({ kind: 'add', id, target, profile })
  }

  /** It is started again with the sessions it had. */
  #noteDeath(): void {
    for (const watched of this.#byId.values()) this.#noteRestart(watched)
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
    this.#metrics.report(watched.target, watched.counts, status)
    watched.status = status
    watched.counts = status
  }

  #hearChange(id: number, change: LivenessChange): void {
    const watched = this.#byId.get(id)
    if (watched !== undefined) this.#tell(watched, change)
  }

  #tell(watched: Watched, change: LivenessChange): void {
    watched.state = change.state
    this.#metrics.changed(watched.target, change.state === 'up')
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
}

function keyOf({ peer, local, interface: device = '', multihop }: LivenessTarget): string {
  return `${multihop} ${formatAddress(peer)} ${local === undefined ? '' : formatAddress(local)} ${device}`
}
