/** The series of chapter 04 sections 7.1 and, for the messages, 7.2; and additions of 7.4. */
import type { Peer } from '../../core/config/index.ts'
import type { Counter, Gauge, MetricLabels, Metrics } from '../../ports/index.ts'
import type { Direction, MessageCounts, Notification, SessionStatus } from '../../protocols/bgp/index.ts'
import { NotificationCounts } from './notification-counts.ts'
import { peerLabel } from './settings.ts'

const LABELS = ['peer', 'vrf']

type Counted = Pick<SessionStatus, 'sent' | 'received' | 'malformedUpdates'>

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
  [
    'metallb_bgp_malformed_updates_total',
    'Number of BGP UPDATE messages received with faults that cost routes and not the session (RFC 7606)',
    ({ malformedUpdates }) => malformedUpdates,
  ],
]

const STATES = ['idle', 'connect', 'active', 'open sent', 'open confirm', 'established'] as const

type Shown = Pick<SessionStatus, 'state' | 'told' | 'wanted' | 'prefixesReceived'>

/** Sessions by their labels: a node may have two with one router, from different sources. */
export type Sharers = Map<string, Set<SessionMetrics>>

/** The series of one session, or, where several have the same labels, of those together. */
export class SessionMetrics {
  readonly #labels: MetricLabels
  readonly #sharers: Sharers
  readonly #key: string
  readonly #up: Gauge
  readonly #state: Gauge
  readonly #announced: Gauge
  readonly #pending: Gauge
  readonly #prefixesReceived: Gauge
  readonly #since: Gauge
  readonly #flaps: Counter
  readonly #notifications: NotificationCounts
  readonly #counters: { readonly counter: Counter; readonly count: (status: Counted) => number; shown: number }[]
  #shown: Shown = { state: 'idle', told: 0, wanted: 0, prefixesReceived: 0 }

  constructor(metrics: Metrics, peer: Peer, sharers: Sharers = new Map()) {
    const gauge = (name: string, help: string) => metrics.gauge({ name, help, labels: LABELS })
    this.#labels = { peer: peerLabel(peer), ...(peer.vrf && { vrf: peer.vrf }) }
    this.#up = gauge('metallb_bgp_session_up', 'BGP session state (1 is up, 0 is down)')
    const state = 'Number of BGP sessions with the peer that are in the state'
    this.#state = metrics.gauge({ name: 'metallb_bgp_session_state', help: state, labels: [...LABELS, 'state'] })
    const announced = 'Number of prefixes currently being advertised on the BGP session'
    this.#announced = gauge('metallb_bgp_announced_prefixes_total', announced)
    const pending = 'Number of prefixes that should be advertised on the BGP session'
    this.#pending = gauge('metallb_bgp_pending_prefixes_total', pending)
    const received = 'Number of prefixes that the peer has sent on the BGP session; none is used'
    this.#prefixesReceived = gauge('metallb_bgp_received_prefixes_total', received)
    const since = 'Unix time at which the BGP session was established; absent while it is not'
    this.#since = gauge('metallb_bgp_session_established_timestamp_seconds', since)
    this.#notifications = new NotificationCounts(metrics, this.#labels)
    const flaps = 'Number of times that an established BGP session went down'
    this.#flaps = metrics.counter({ name: 'metallb_bgp_session_flaps_total', help: flaps, labels: LABELS })
    this.#counters = COUNTERS.map(([name, help, count]) => {
      const counter = metrics.counter({ name, help, labels: LABELS })
      return { counter, count, shown: 0 }
    })
    this.#sharers = sharers
    this.#key = Object.values(this.#labels).join(' ')
    sharers.set(this.#key, (sharers.get(this.#key) ?? new Set()).add(this))
    this.#showAll()
  }

  /** A counter's series appears with the first message. */
  show(status: SessionStatus): void {
    const { state, told, wanted, prefixesReceived } = status
    this.#shown = { state, told, wanted, prefixesReceived }
    this.#showAll()
    for (const one of this.#counters) {
      const now = one.count(status)
      if (now > one.shown) one.counter.inc(this.#labels, now - one.shown)
      one.shown = now
    }
  }

  /** `nowMs` is on the wall clock. */
  established(nowMs: number): void {
    this.#since.set(Math.floor(nowMs / 1000), this.#labels)
  }

  flapped(): void {
    this.#since.remove(this.#labels)
    this.#flaps.inc(this.#labels)
  }

  notified(direction: Direction, notification: Notification): void {
    this.#notifications.count(direction, notification)
  }

  /** The series go with the last session that has them. */
  remove(): void {
    const sharing = this.#sharers.get(this.#key)
    sharing?.delete(this)
    const [other] = sharing ?? []
    if (other !== undefined) {
      other.#notifications.inherit(this.#notifications)
      other.#showAll()
      return
    }
    this.#notifications.remove()
    this.#sharers.delete(this.#key)
    const counters = this.#counters.map(({ counter }) => counter)
    const gauges = [this.#up, this.#announced, this.#pending, this.#prefixesReceived, this.#since]
    for (const one of [...gauges, this.#flaps, ...counters]) one.remove(this.#labels)
    for (const state of STATES) this.#state.remove({ ...this.#labels, state })
  }

  /** Up is what is all up: an alert is about the worst. */
  #showAll(): void {
    const shown = [...(this.#sharers.get(this.#key) ?? [])].map(one => one.#shown)
    const sum = (numberOf: (one: Shown) => number) => shown.reduce((total, one) => total + numberOf(one), 0)
    this.#up.set(shown.every(({ state }) => state === 'established') ? 1 : 0, this.#labels)
    this.#announced.set(
      sum(({ told }) => told),
      this.#labels,
    )
    this.#pending.set(
      sum(({ wanted }) => wanted),
      this.#labels,
    )
    this.#prefixesReceived.set(
      sum(({ prefixesReceived }) => prefixesReceived),
      this.#labels,
    )
    for (const state of STATES)
      this.#state.set(
        sum(one => (one.state === state ? 1 : 0)),
        { ...this.#labels, state },
      )
  }
}

function total(counts: MessageCounts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}
