/** The series of chapter 04 sections 7.1 and, for the messages, 7.2. */
import type { Peer } from '../../core/config/index.ts'
import type { Counter, Gauge, MetricLabels, Metrics } from '../../ports/index.ts'
import type { MessageCounts, SessionStatus } from '../../protocols/bgp/index.ts'
import { peerLabel } from './settings.ts'

const LABELS = ['peer', 'vrf']

type Counted = Pick<SessionStatus, 'sent' | 'received'>

/** Name, help, and the number. */
const COUNTERS: readonly [name: string, help: string, count: (status: Counted) => number][] = [
  ['metallb_bgp_updates_total', 'Number of BGP UPDATE messages sent', ({ sent }) => sent.update],
  ['metallb_bgp_updates_total_received', 'Number of BGP UPDATE messages received', ({ received }) => received.update],
  ['metallb_bgp_opens_sent', 'Number of BGP open messages sent', ({ sent }) => sent.open],
  ['metallb_bgp_opens_received', 'Number of BGP open messages received', ({ received }) => received.open],
  ['metallb_bgp_notifications_sent', 'Number of BGP notification messages sent', ({ sent }) => sent.notification],
  ['metallb_bgp_keepalives_sent', 'Number of BGP keepalive messages sent', ({ sent }) => sent.keepalive],
  [
    'metallb_bgp_keepalives_received',
    'Number of BGP keepalive messages received',
    ({ received }) => received.keepalive,
  ],
  ['metallb_bgp_route_refresh_sent', 'Number of BGP route refresh messages sent', ({ sent }) => sent['route refresh']],
  ['metallb_bgp_total_sent', 'Number of total BGP messages sent', ({ sent }) => total(sent)],
  ['metallb_bgp_total_received', 'Number of total BGP messages received', ({ received }) => total(received)],
]

/** The series of one session. */
export class SessionMetrics {
  readonly #labels: MetricLabels
  readonly #up: Gauge
  readonly #announced: Gauge
  readonly #pending: Gauge
  readonly #counters: { readonly counter: Counter; readonly count: (status: Counted) => number; shown: number }[]

  constructor(metrics: Metrics, peer: Peer) {
    const gauge = (name: string, help: string) => metrics.gauge({ name, help, labels: LABELS })
    this.#labels = { peer: peerLabel(peer), ...(peer.vrf && { vrf: peer.vrf }) }
    this.#up = gauge('metallb_bgp_session_up', 'BGP session state (1 is up, 0 is down)')
    const announced = 'Number of prefixes currently being advertised on the BGP session'
    this.#announced = gauge('metallb_bgp_announced_prefixes_total', announced)
    const pending = 'Number of prefixes that should be advertised on the BGP session'
    this.#pending = gauge('metallb_bgp_pending_prefixes_total', pending)
    this.#counters = COUNTERS.map(([name, help, count]) => {
      const counter = metrics.counter({ name, help, labels: LABELS })
      return { counter, count, shown: 0 }
    })
    this.#up.set(0, this.#labels)
    this.#announced.set(0, this.#labels)
  }

  /** A counter's series appears with the first message. */
  show(status: SessionStatus): void {
    this.#up.set(status.state === 'established' ? 1 : 0, this.#labels)
    this.#announced.set(status.told, this.#labels)
    this.#pending.set(status.wanted, this.#labels)
    for (const one of this.#counters) {
      const now = one.count(status)
      if (now > one.shown) one.counter.inc(this.#labels, now - one.shown)
      one.shown = now
    }
  }

  remove(): void {
    const series = [this.#up, this.#announced, this.#pending, ...this.#counters.map(({ counter }) => counter)]
    for (const one of series) one.remove(this.#labels)
  }
}

function total(counts: MessageCounts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}
