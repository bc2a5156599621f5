import type { Clock, Logger, Timer } from '../ports/index.ts'

export interface WorkQueueOptions {
  readonly name: string
  readonly clock: Clock
  readonly log: Logger
  /** Handles one key; a rejection counts as `retry`. Two calls for one key never overlap. */
  readonly handle: (key: string) => Promise<'done' | 'retry'>
  /** Keys handled at once. Default 1. */
  readonly workers?: number
  /** Back-off of a key after its n-th failure in a row (n from 1), milliseconds. */
  readonly backoffMs?: (failures: number) => number
}

/** 5 ms doubling, as the reference; capped at 30 s so that nothing broken stays unnoticed for a quarter of an hour. */
function defaultBackoffMs(failures: number): number {
  return Math.min(30_000, 5 * 2 ** (failures - 1))
}

/**
 * A queue of keys to look at again. A key waits in it at most once; one added while it is being handled is handled
 * again afterwards; one that failed comes back after its back-off, or at once when it is added anew.
 */
export class WorkQueue {
  readonly #options: Required<WorkQueueOptions>
  readonly #waiting = new Set<string>()
  readonly #running = new Set<string>()
  readonly #failures = new Map<string, number>()
  readonly #delayed = new Map<string, Timer>()
  #state: 'new' | 'running' | 'stopped' = 'new'
  #idle: (() => void)[] = []

  constructor(options: WorkQueueOptions) {
    this.#options = { workers: 1, backoffMs: defaultBackoffMs, ...options }
  }

  /** Keys added before the start wait for it. */
  start(): void {
    if (this.#state === 'new') this.#state = 'running'
    this.#dispatch()
  }

  add(key: string): void {
    if (this.#state === 'stopped') return
    this.#delayed.get(key)?.cancel()
    this.#delayed.delete(key)
    this.#waiting.add(key)
    this.#dispatch()
  }

  /** Adds the key in `ms` milliseconds, unless it is added before. */
  addAfter(key: string, ms: number): void {
    if (this.#state === 'stopped' || this.#waiting.has(key)) return
    this.#delayed.get(key)?.cancel()
    this.#delayed.set(
      key,
      this.#options.clock.after(ms, () => this.add(key)),
    )
  }

  /** Keys waiting now, those in back-off not counted. */
  get depth(): number {
    return this.#waiting.size
  }

  /** Resolves when nothing waits and nothing runs; keys in back-off are not waited for. */
  async whenIdle(): Promise<void> {
    if (this.#waiting.size + this.#running.size === 0) return
    await new Promise<void>(resolve => this.#idle.push(resolve))
  }

  /** Forgets what waits and resolves when what runs has ended. */
  async stop(): Promise<void> {
    this.#state = 'stopped'
    for (const timer of this.#delayed.values()) timer.cancel()
    this.#delayed.clear()
    this.#waiting.clear()
    await this.whenIdle()
  }

  #dispatch(): void {
    if (this.#state !== 'running') return
    for (const key of this.#waiting) {
      if (this.#running.size >= this.#options.workers) return
      if (this.#running.has(key)) continue
      this.#waiting.delete(key)
      this.#running.add(key)
      void this.#handle(key)
    }
  }

  async #handle(key: string): Promise<void> {
    const outcome = await this.#attempt(key)
    this.#running.delete(key)
    if (outcome === 'done') this.#failures.delete(key)
    else this.#retry(key)
    this.#dispatch()
    if (this.#waiting.size + this.#running.size > 0) return
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  async #attempt(key: string): Promise<'done' | 'retry'> {
    try {
      return await this.#options.handle(key)
    } catch (error) {
      this.#options.log.error({ op: 'queue', queue: this.#options.name, key, error, msg: 'reconcile failed' })
      return 'retry'
    }
  }

  #retry(key: string): void {
    const failures = (this.#failures.get(key) ?? 0) + 1
    this.#failures.set(key, failures)
    this.addAfter(key, this.#options.backoffMs(failures))
  }
}
