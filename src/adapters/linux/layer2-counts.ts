/** Brings what the responder's thread counts into the metrics of chapter 03 section 5.1. */
import type { Counter, Gauge, Metrics } from '../../ports/index.ts'
import { COUNTERS, GRATUITOUS, type Ignored, RECEIVED, SENT } from '../../protocols/ethernet/index.ts'
import { MAX_ADDRESSES } from './layer2-table.ts'

export class CountCollector {
  /** Shared with the worker. */
  readonly counts = new Uint32Array(new SharedArrayBuffer(4 * COUNTERS * MAX_ADDRESSES))
  /** What of the counts the metrics hold already. */
  readonly #reported = new Uint32Array(COUNTERS * MAX_ADDRESSES)
  readonly #counters: Counter[] = []
  readonly #lastGratuitous: Gauge
  readonly #now: () => number

  /** `now` is in milliseconds since 1970. */
  constructor(metrics: Metrics, now: () => number) {
    this.#now = now
    const counter = (name: string, help: string) => metrics.counter({ name, help, labels: ['ip'] })
    this.#counters[RECEIVED] = counter(
      'metallb_layer2_requests_received',
      'Number of layer2 requests received for owned IPs',
    )
    this.#counters[SENT] = counter(
      'metallb_layer2_responses_sent',
      'Number of layer2 responses sent for owned IPs in response to requests',
    )
    this.#counters[GRATUITOUS] = counter(
      'metallb_layer2_gratuitous_sent',
      'Number of gratuitous layer2 packets sent for owned IPs as a result of failovers',
    )
    this.#lastGratuitous = metrics.gauge({
      name: 'metallb_layer2_last_gratuitous_timestamp_seconds',
      help: 'When the last gratuitous layer2 packet was sent for the IP, to within a second',
      labels: ['ip'],
    })
  }

  /** Adds what was counted since the last time; `texts` are the addresses by slot. A number may have wrapped once. */
  collect(texts: readonly string[]): void {
    for (let index = 0; index < COUNTERS * texts.length; index++) {
      const count = this.counts[index]!
      const reported = this.#reported[index]!
      if (count === reported) continue
      const ip = texts[Math.floor(index / COUNTERS)]!
      this.#counters[index % COUNTERS]!.inc({ ip }, (count - reported) >>> 0)
      if (index % COUNTERS === GRATUITOUS) this.#lastGratuitous.set(Math.floor(this.#now() / 1000), { ip })
      this.#reported[index] = count
    }
  }
}

/** Frames that were not answered, and why (IMP-23). Series go with their interface. */
export class IgnoredCounter {
  readonly #counter: Counter
  readonly #reasons = new Map<string, Set<string>>()

  constructor(metrics: Metrics) {
    this.#counter = metrics.counter({
      name: 'metallb_layer2_requests_ignored_total',
      help: 'Number of layer2 packets that were not answered, by the reason why',
      labels: ['interface', 'reason'],
    })
  }

  add(ignored: readonly Ignored[]): void {
    for (const { interface: name, reasons } of ignored) {
      const known = this.#reasons.get(name) ?? new Set()
      this.#reasons.set(name, known)
      for (const [reason, count] of reasons) {
        known.add(reason)
        this.#counter.inc({ interface: name, reason }, count)
      }
    }
  }

  keep(interfaces: ReadonlySet<string>): void {
    for (const [name, reasons] of this.#reasons) {
      if (interfaces.has(name)) continue
      this.#reasons.delete(name)
      for (const reason of reasons) this.#counter.remove({ interface: name, reason })
    }
  }
}
