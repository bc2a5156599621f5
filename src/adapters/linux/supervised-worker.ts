/** A thread that is woken by an eventfd, ended by a shared number, and started again when it dies. */
import { type Transferable, Worker } from 'node:worker_threads'
import type { Clock, Logger, Timer } from '../../ports/index.ts'
import { close, eventfd, write } from './ffi.ts'
import { END, RUN, type Supervision } from './supervision.ts'

const FIRST_RESTART_MS = 100
const LONGEST_RESTART_MS = 10_000
/** A thread that lived this long has not died of its start: the next restart comes soon again. */
const STABLE_MS = 30_000
/** What is written to an eventfd: any 64-bit number but 0. */
const ONE = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0)

export interface SupervisedWorkerOptions<From> {
  /** Of the thread's entry. */
  readonly url: URL
  readonly name: string
  /** `op` of its log lines, and what it is called there. */
  readonly op: string
  readonly what: string
  readonly log: Logger
  readonly clock: Clock
  /** The `workerData` of the next life, and what moves there. */
  readonly prepare: (supervision: Supervision) => { readonly data: object; readonly transfer?: Transferable[] }
  /** A life has begun, and knows no more than it was given. */
  readonly begun: () => void
  readonly heard: (message: From) => void
  /** A life has ended that should not have; all that it said was heard. */
  readonly died: () => void
}

export class SupervisedWorker<From, To> {
  readonly #options: SupervisedWorkerOptions<From>
  readonly #stop = new Int32Array(new SharedArrayBuffer(4))
  readonly #onExit = () => this.#end(END)
  #wakeFd = -1
  #worker: Worker | undefined
  #restarting: Timer | undefined
  #restartMs = FIRST_RESTART_MS
  #startedAt = 0

  constructor(options: SupervisedWorkerOptions<From>) {
    this.#options = options
  }

  get isRunning(): boolean {
    return this.#worker !== undefined
  }

  get isRestarting(): boolean {
    return this.#restarting !== undefined
  }

  /** Gets ready; `run` starts the thread. @throws SystemError */
  open(): void {
    Atomics.store(this.#stop, 0, RUN)
    this.#wakeFd = eventfd()
    process.on('exit', this.#onExit)
  }

  /** Where it is open, and the thread neither runs nor is about to. */
  run(): void {
    if (this.#wakeFd >= 0 && !this.isRunning && !this.isRestarting) this.#start()
  }

  /** Nothing while it does not run: it is told everything when it begins. */
  post(message: To): void {
    if (this.#worker === undefined) return
    this.#worker.postMessage(message)
    this.#wake()
  }

  /** Resolves when the thread has ended; `how` is written into the shared number. */
  async stop(how = END): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    this.#restarting?.cancel()
    this.#restarting = undefined
    if (worker !== undefined) {
      const exited = new Promise(resolve => worker.once('exit', resolve))
      this.#end(how)
      await exited
    }
    process.off('exit', this.#onExit)
    close(this.#wakeFd)
    this.#wakeFd = -1
  }

  #start(): void {
    const { url, name, clock, prepare, heard, begun } = this.#options
    const { data, transfer = [] } = prepare({ wakeFd: this.#wakeFd, stop: this.#stop })
    const worker = new Worker(url, { name, workerData: data, transferList: transfer })
    this.#worker = worker
    this.#restarting = undefined
    this.#startedAt = clock.monotonic()
    worker.on('message', (message: From) => heard(message))
    worker.on('error', error => this.#logDeath(error))
    worker.on('exit', () => this.#restartLater(worker))
    begun()
  }

  #logDeath(error: unknown): void {
    const { log, op, what } = this.#options
    const text = error instanceof Error ? error.message : String(error)
    log.error({ op, error: text, msg: `the ${what} died, restarting it` })
  }

  /** Ever later while it keeps dying. */
  #restartLater(worker: Worker): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    const { clock, died } = this.#options
    if (clock.monotonic() - this.#startedAt > STABLE_MS) this.#restartMs = FIRST_RESTART_MS
    this.#restarting = clock.after(this.#restartMs, () => this.#start())
    this.#restartMs = Math.min(2 * this.#restartMs, LONGEST_RESTART_MS)
    died()
  }

  #end(how: number): void {
    Atomics.store(this.#stop, 0, how)
    this.#wake()
  }

  #wake(): void {
    write(this.#wakeFd, ONE, ONE.length)
  }
}
