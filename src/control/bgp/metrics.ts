/** The series of chapter 04 section 7.1. */
import type { Peer } from '../../core/config/index.ts'
import type { MetricLabels, Metrics } from '../../ports/index.ts'
import type { SessionStatus } from '../../protocols/bgp/index.ts'
import { peerLabel } from './settings.ts'

/** The series of one session. */
export class SessionMetrics {
  readonly #labels: MetricLabels
  readonly #up
  readonly #updates
  readonly #announced
  readonly #pending
  #counted = 0

  constructor(metrics: Metrics, peer: Peer) {
    const labels = ['peer', 'vrf']
    this.#labels = { peer: peerLabel(peer), ...(peer.vrf && { vrf: peer.vrf }) }
    this.#up = metrics.gauge({
      name: 'metallb_bgp_session_up',
      help: 'BGP session state (1 is up, 0 is down)',
      labels,
    })
    this.#updates = metrics.counter({
      name: 'metallb_bgp_updates_total',
      help: 'Number of BGP UPDATE messages sent',
      labels,
    })
    this.#announced = metrics.gauge({
      name: 'metallb_bgp_announced_prefixes_total',
      help: 'Number of prefixes currently being advertised on the BGP session',
      labels,
    })
    this.#pending = metrics.gauge({
      name: 'metallb_bgp_pending_prefixes_total',
      help: 'Number of prefixes that should be advertised on the BGP session',
      labels,
    })
    this.#up.set(0, this.#labels)
    this.#announced.set(0, this.#labels)
  }

  show({ state, told, wanted, sent }: SessionStatus): void {
    this.#up.set(state === 'established' ? 1 : 0, this.#labels)
    this.#announced.set(told, this.#labels)
    this.#pending.set(wanted, this.#labels)
    if (sent.update > this.#counted) this.#updates.inc(this.#labels, sent.update - this.#counted)
    this.#counted = sent.update
  }

  remove(): void {
    for (const series of [this.#up, this.#updates, this.#announced, this.#pending]) series.remove(this.#labels)
  }
}
