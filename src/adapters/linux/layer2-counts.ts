/** Brings what the responder's thread counts into the metrics of chapter 03 section 5.1. */
import type { Counter, Metrics } from '../../ports/index.ts'
import { COUNTERS, GRATUITOUS, RECEIVED, SENT } from '../../protocols/arp/index.ts'
import type { Packed } from './layer2-messages.ts'

export class CountCollector {
  readonly #counters: Counter[] = []

  constructor(metrics: Metrics) {
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
  }

  /** Adds what was counted since the last time. A number may have wrapped once. */
  collect({ table, texts, reported }: Packed): void {
    for (let index = 0; index < reported.length; index++) {
      const count = table.counts[index]!
      if (count === reported[index]) continue
      const ip = texts[Math.floor(index / COUNTERS)]!
      this.#counters[index % COUNTERS]!.inc({ ip }, (count - reported[index]!) >>> 0)
      reported[index] = count
    }
  }
}
