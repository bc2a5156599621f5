/** Kubernetes events: written behind the caller's back, in order, never more than the queue holds. */
import { type EventResource, events } from '../../api/index.ts'
import {
  type Clock,
  type EventRecorder,
  type EventTarget,
  isTransient,
  type KubeApi,
  KubeError,
  type Logger,
  type Random,
  type Task,
} from '../../ports/index.ts'
import { type Correlated, EventCorrelator, type EventFacts, type Sighting } from './event-correlator.ts'
import { backoffMs, pause } from './retry.ts'

export interface RecorderOptions {
  readonly api: KubeApi
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** `metallb-controller` or `metallb-speaker` (chapter 05 section 1.16). */
  readonly component: string
  /** Node or pod name. */
  readonly instance?: string
}

type Pending = EventFacts & { message: string; sighting: Sighting; lastMs: number; count: number }

const QUEUE_SIZE = 1000
const ATTEMPTS = 4
/** How long `stop` lets what is queued go out. */
const FLUSH_MS = 2_000
/** Of an object name in `<object>.<hex>`, which may have 253 characters. */
const NAME_LENGTH = 253 - 17

export class KubeEventRecorder implements EventRecorder, Task {
  readonly name = 'events'
  readonly #options: RecorderOptions
  readonly #correlator = new EventCorrelator()
  readonly #queue: Pending[] = []
  readonly #stopping = new AbortController()
  #writing: Promise<void> | undefined
  #serial = 0
  #dropped = 0

  constructor(options: RecorderOptions) {
    this.#options = options
  }

  event(on: EventTarget, type: 'Normal' | 'Warning', reason: string, message: string): void {
    const { clock } = this.#options
    const facts = { on, type, reason, message }
    const wallMs = clock.now()
    const fate: Correlated = this.#correlator.correlate(facts, { monotonicMs: clock.monotonic(), wallMs })
    if (fate.action === 'drop' || this.#stopping.signal.aborted) return
    if (this.#queue.length >= QUEUE_SIZE) {
      this.#dropped++
      return
    }
    const { sighting } = fate
    this.#queue.push({ ...facts, message: fate.message, sighting, lastMs: wallMs, count: sighting.count })
    this.#writing ??= this.#drain()
  }

  start(): void {}

  ready(): true {
    return true
  }

  /** Gives what is queued a moment to go out, then drops it. */
  async stop(): Promise<void> {
    const timer = this.#options.clock.after(FLUSH_MS, () => this.#stopping.abort())
    await this.#writing
    timer.cancel()
    this.#stopping.abort()
  }

  async #drain(): Promise<void> {
    await null // the caller goes on first
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) await this.#deliver(next)
    this.#writing = undefined
    if (this.#dropped > 0)
      this.#options.log.warn({ op: 'event', dropped: this.#dropped, msg: 'too many events queued' })
    this.#dropped = 0
  }

  async #deliver(event: Pending): Promise<void> {
    const { clock, random, log } = this.#options
    for (let attempt = 1; !this.#stopping.signal.aborted; attempt++) {
      try {
        return await this.#write(event)
      } catch (error) {
        const again = isTransient(error) && attempt < ATTEMPTS
        if (!again)
          return log.warn({ op: 'event', reason: event.reason, on: event.on.name, error, msg: 'event dropped' })
        await pause(clock, backoffMs(attempt, random, error.retryAfterMs), this.#stopping.signal)
      }
    }
  }

  /** The stored event is counted up; where it is gone (they live an hour) or was never stored, another is made. */
  async #write(event: Pending): Promise<void> {
    const { api } = this.#options
    const { count, message, sighting } = event
    const namespace = event.on.namespace || 'default'
    if (sighting.name !== undefined) {
      const body = { count, message, lastTimestamp: seconds(event.lastMs) }
      try {
        await api.patch(events, { namespace, name: sighting.name }, { type: 'merge', body })
        return
      } catch (error) {
        if (!(error instanceof KubeError) || error.code !== 'NOT_FOUND') throw error
      }
    }
    const name = this.#nameFor(event.on)
    await api.create(events, this.#resource(event, { namespace, name }))
    sighting.name = name
  }

  /** `<object>.<hex>`, unique by time and serial number, as client-go names them. */
  #nameFor({ name }: EventTarget): string {
    const stamp = BigInt(Math.floor(this.#options.clock.now())) * 1_000_000n + BigInt(this.#serial++ % 1_000_000)
    return `${name.slice(0, NAME_LENGTH)}.${stamp.toString(16)}`
  }

  #resource(event: Pending, metadata: { namespace: string; name: string }): EventResource {
    const { component, instance } = this.#options
    const { apiVersion, kind, namespace, name, uid, resourceVersion } = event.on
    return {
      metadata,
      involvedObject: { apiVersion, kind, namespace, name, uid, resourceVersion },
      reason: event.reason,
      message: event.message,
      type: event.type,
      count: event.count,
      firstTimestamp: seconds(event.sighting.firstMs),
      lastTimestamp: seconds(event.lastMs),
      source: { component },
      reportingComponent: component,
      reportingInstance: instance ?? '',
    }
  }
}

/** RFC 3339 in whole seconds, as meta/v1 Time. */
function seconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}
