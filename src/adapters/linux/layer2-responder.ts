/** The main thread's side of the layer 2 responder: starts the thread, hands over tables, and brings up what it says. */
import type { Transferable } from 'node:worker_threads'
import type { Address } from '../../core/ip/index.ts'
import { Listeners } from '../../core/listeners.ts'
import type {
  AddressClaim,
  AddressClaims,
  AnnouncedAddress,
  Clock,
  Interfaces,
  Layer2Responder,
  Logger,
  Metrics,
  NetworkInterface,
  Predecessor,
  Task,
  Timer,
} from '../../ports/index.ts'
import { type Exclusions, NO_EXCLUSIONS } from './exclusions.ts'
import { CountCollector, IgnoredCounter } from './layer2-counts.ts'
import type { FromWorker, TableChange, ToWorker, WorkerSetup } from './layer2-messages.ts'
import { keyOf, Layer2Table } from './layer2-table.ts'
import { SupervisedWorker } from './supervised-worker.ts'
import type { Supervision } from './supervision.ts'

const COLLECT_MS = 1000

export interface LinuxLayer2Options {
  /** Of the worker's entry, `runLayer2Worker`. */
  readonly worker: URL
  readonly log: Logger
  readonly metrics: Metrics
  readonly clock: Clock
  readonly exclusions?: Exclusions
  /** Whether the debug level is enabled: only then does the thread report single requests. */
  readonly debug?: boolean
  /** Milliseconds between refreshing announcements (IMP-14), 0 for none. */
  readonly refreshMs?: number
  /** Ask for SCHED_FIFO, the default; it is granted with CAP_SYS_NICE. */
  readonly realtime?: boolean
  /** For what runs in the thread beside the responder, asked for at each start of the thread. */
  readonly companion?: () => { readonly data: unknown; readonly transfer: Transferable[] }
}

interface Update {
  readonly rows: readonly AnnouncedAddress[]
  readonly predecessors: readonly Predecessor[]
  /** Callers of `update`, to be told once it is applied or cannot be. */
  readonly waiting: readonly Waiting[]
}

interface Waiting {
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

interface SentUpdate extends Pick<Update, 'waiting'> {
  readonly id: number
  readonly freed: readonly number[]
}

class Deferred {
  resolve = () => {}
  readonly done = new Promise<void>(resolve => {
    this.resolve = resolve
  })
}

export class LinuxLayer2Responder implements Layer2Responder, AddressClaims, Interfaces, Task {
  readonly name = 'layer2 responder'
  readonly #options: LinuxLayer2Options
  readonly #counts: CountCollector
  readonly #ignored: IgnoredCounter
  readonly #table = new Layer2Table()
  readonly #claimListeners = new Listeners<AddressClaim>()
  readonly #listeners = new Listeners()
  readonly #thread: SupervisedWorker<FromWorker, ToWorker>
  #interfaces: readonly NetworkInterface[] | undefined
  #lastId = 0
  /** Latest wins: while one update is on its way, those that follow become one. */
  #pending: Update | undefined
  #sent: SentUpdate | undefined
  #collecting: Timer | undefined
  #leaving = new Deferred()
  #left = new Deferred()

  constructor(options: LinuxLayer2Options) {
    this.#options = options
    this.#counts = new CountCollector(options.metrics, () => options.clock.now())
    this.#ignored = new IgnoredCounter(options.metrics)
    const { worker: url, log, clock } = options
    this.#thread = new SupervisedWorker({
      ...{ url, log, clock, name: 'layer2', op: 'layer2Responder', what: 'layer 2 responder' },
      prepare: supervision => this.#prepare(supervision),
      begun: () => this.#tellAll(),
      heard: message => this.#hear(message),
      died: () => this.#noteDeath(),
    })
  }

  /** Resolves once the interfaces are known. @throws SystemError */
  async start(): Promise<void> {
    this.#thread.open()
    this.#thread.run()
    this.#collectLater()
    await new Promise<void>(resolve => {
      const unsubscribe = this.subscribe(() => {
        unsubscribe()
        resolve()
      })
    })
  }

  /** Nothing is answered or announced any more once it resolves. */
  async stop(): Promise<void> {
    this.#collecting?.cancel()
    await this.#thread.stop()
    this.#collect()
    for (const { resolve } of [...(this.#sent?.waiting ?? []), ...(this.#pending?.waiting ?? [])]) resolve()
  }

  ready(): true | string {
    if (this.#interfaces === undefined) return 'the network interfaces are not known yet'
    return this.#thread.isRunning ? true : 'the layer 2 responder is being restarted'
  }

  update(rows: readonly AnnouncedAddress[], predecessors: readonly Predecessor[] = []): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pending = { rows, predecessors, waiting: [...(this.#pending?.waiting ?? []), { resolve, reject }] }
      this.#sendPending()
    })
  }

  async leave(): Promise<{ over: Promise<void> }> {
    if (!this.#thread.isRunning) return { over: Promise.resolve() }
    this.#leaving = new Deferred() // a death of the thread before now has ended the former ones
    this.#left = new Deferred()
    this.#thread.post({ kind: 'leave' })
    await this.#leaving.done
    return { over: this.#left.done }
  }

  reannounce(address: Address): void {
    this.#thread.post({ kind: 'reannounce', key: keyOf(address) })
  }

  onClaim(listener: (claim: AddressClaim) => void): () => void {
    return this.#claimListeners.add(listener)
  }

  current(): readonly NetworkInterface[] {
    return this.#interfaces ?? []
  }

  subscribe(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  #prepare(supervision: Supervision) {
    const { exclusions = NO_EXCLUSIONS, debug = false, refreshMs = 0, realtime = true, companion } = this.#options
    const beside = companion?.()
    const setup = { ...supervision, counts: this.#counts.counts, exclusions, verbose: debug, refreshMs, realtime }
    return { data: { ...setup, companion: beside?.data } satisfies WorkerSetup, transfer: beside?.transfer }
  }

  /** The table that the life before had, and what has changed since. */
  #tellAll(): void {
    this.#sendParts(this.#table.everything())
    this.#sendPending()
  }

  #noteDeath(): void {
    for (const promise of [this.#leaving, this.#left]) promise.resolve() // what it handed over it does not know any more
    this.#collect()
  }

  #sendPending(): void {
    if (!this.#thread.isRunning || this.#sent !== undefined || this.#pending === undefined) return
    const { rows, predecessors, waiting } = this.#pending
    this.#pending = undefined
    try {
      const { parts, freed } = this.#table.replace(rows, predecessors)
      this.#sent = { id: ++this.#lastId, waiting, freed }
      this.#sendParts(parts)
    } catch (error) {
      for (const { reject } of waiting) reject(error)
    }
  }

  /** The last part asks for the confirmation of what is on its way. */
  #sendParts(parts: readonly TableChange[]): void {
    for (const [place, change] of parts.entries())
      this.#thread.post({ kind: 'change', change, id: place === parts.length - 1 ? this.#sent?.id : undefined })
  }

  #hear(message: FromWorker): void {
    switch (message.kind) {
      case 'interfaces':
        this.#interfaces = message.interfaces
        this.#ignored.keep(new Set(message.interfaces.map(({ name }) => name)))
        this.#listeners.tell()
        break
      case 'applied':
        this.#confirm(message.id)
        break
      case 'log':
        this.#options.log[message.level](message.fields)
        break
      case 'leaving':
        this.#leaving.resolve()
        break
      case 'left':
        this.#left.resolve()
        break
      case 'ignored':
        this.#ignored.add(message.ignored)
        break
      case 'claim':
        this.#claimListeners.tell(message.claim)
    }
  }

  #confirm(id: number): void {
    if (this.#sent?.id !== id) return
    const { waiting, freed } = this.#sent
    this.#collect() // before another address gets the slots
    this.#table.release(freed)
    this.#sent = undefined
    for (const { resolve } of waiting) resolve()
    this.#sendPending()
  }

  #collect(): void {
    this.#counts.collect(this.#table.texts)
  }

  #collectLater(): void {
    this.#collecting = this.#options.clock.after(COLLECT_MS, () => {
      this.#collect()
      this.#collectLater()
    })
  }
}
