/** NOTIFICATIONs with a peer by what they say (chapter 05 section 7.9). */
import type { Counter, Gauge, MetricLabels, Metrics } from '../../ports/index.ts'
import type { Direction, Notification } from '../../protocols/bgp/index.ts'

/** A peer may send any of 65,536 codes: what comes after the first of them are others. */
const MAX_SERIES = 32

export class NotificationCounts {
  readonly #counter: Counter
  readonly #last: Gauge
  readonly #peer: MetricLabels
  readonly #shown = new Map<string, MetricLabels>()

  constructor(metrics: Metrics, peer: MetricLabels) {
    this.#peer = peer
    this.#counter = metrics.counter({
      name: 'metallb_bgp_notifications_total',
      help: 'Number of BGP notification messages by direction, code and subcode (RFC 4271 section 6)',
      labels: ['peer', 'vrf', 'direction', 'code', 'subcode'],
    })
    this.#last = metrics.gauge({
      name: 'metallb_bgp_session_last_error_code',
      help: 'Code times 256 plus subcode of the last BGP notification message, sent or received; absent before the first',
      labels: ['peer', 'vrf'],
    })
  }

  count(direction: Direction, { code, subcode }: Notification): void {
    this.#last.set(code * 256 + subcode, this.#peer)
    const key = `${direction} ${code} ${subcode}`
    const isShown = this.#shown.has(key) || this.#shown.size < MAX_SERIES
    const [shownCode, shownSubcode] = isShown ? [String(code), String(subcode)] : ['other', 'other']
    const labels = { ...this.#peer, direction, code: shownCode, subcode: shownSubcode }
    this.#shown.set(isShown ? key : direction, labels)
    this.#counter.inc(labels)
  }

  /** Another session that has the same series ends. */
  inherit(other: NotificationCounts): void {
    for (const [key, labels] of other.#shown) this.#shown.set(key, labels)
  }

  remove(): void {
    this.#last.remove(this.#peer)
    for (const labels of this.#shown.values()) this.#counter.remove(labels)
    this.#shown.clear()
  }
}
