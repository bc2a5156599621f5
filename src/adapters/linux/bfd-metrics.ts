/** The series of chapter 05 section 2.2 and 04 section 7.2, from the counters that the thread reports. */
import type { Counter, Gauge, LivenessStatus, LivenessTarget, MetricLabels, Metrics } from '../../ports/index.ts'
import { peerName } from './bfd-entry.ts'

const COUNTED = {
  controlInput: ['control_packet_input', 'Number of received BFD control packets'],
  controlOutput: ['control_packet_output', 'Number of sent BFD control packets'],
  echoInput: ['echo_packet_input', 'Number of received BFD echo packets'],
  echoOutput: ['echo_packet_output', 'Number of sent BFD echo packets'],
  upEvents: ['session_up_events', 'Number of BFD session up events'],
  downEvents: ['session_down_events', 'Number of BFD session down events'],
} as const

type Counted = keyof typeof COUNTED
const NAMES = Object.keys(COUNTED) as Counted[]
export type Counts = Readonly<Record<Counted, number>>

export const NO_COUNTS: Counts = {
  controlInput: 0,
  controlOutput: 0,
  echoInput: 0,
  echoOutput: 0,
  upEvents: 0,
  downEvents: 0,
}

const LABELS = ['peer', 'vrf']

/** Sessions with one peer from several sources have the same labels, and show their series together. */
export class BfdMetrics {
  /** Chapter 04 section 5.9. */
  readonly late: Counter
  readonly discarded: Counter
  readonly #up: Gauge
  /** State changes told to whom they concern, which in the reference is zebra. */
  readonly #notifications: Counter
  readonly #counters: ReadonlyMap<Counted, Counter>
  /** By labels, then by session: whether it is up. */
  readonly #sharers = new Map<string, Map<LivenessTarget, boolean>>()

  constructor(metrics: Metrics) {
    const up = 'BFD session state (1 is up, 0 is down)'
    this.#up = metrics.gauge({ name: 'metallb_bfd_session_up', help: up, labels: LABELS })
    const counter = ([name, help]: readonly [string, string]) =>
      metrics.counter({ name: `metallb_bfd_${name}`, help, labels: LABELS })
    this.#counters = new Map(NAMES.map(field => [field, counter(COUNTED[field])]))
    this.#notifications = counter(['zebra_notifications', 'Number of BFD zebra notifications'])
    this.late = metrics.counter({
      name: 'metallb_bfd_scheduler_late_total',
      help: 'Number of times the BFD thread ran later than one transmit interval',
    })
    this.discarded = metrics.counter({
      name: 'metallb_bfd_packets_discarded_total',
      help: 'Number of BFD packets discarded, by reason',
      labels: ['reason'],
    })
  }

  begin(session: LivenessTarget): void {
    this.#show(session, false)
  }

  changed(session: LivenessTarget, up: boolean): void {
    this.#show(session, up)
    this.#notifications.inc(labelsOf(session))
  }

  /** Counts what was added since. */
  report(session: LivenessTarget, before: Counts, after: LivenessStatus): void {
    for (const [field, counter] of this.#counters) counter.inc(labelsOf(session), after[field] - before[field])
  }

  /** The series go with the last session that has them. */
  end(session: LivenessTarget): void {
    const labels = labelsOf(session)
    const key = JSON.stringify(labels)
    const sharers = this.#sharers.get(key)
    sharers?.delete(session)
    if (sharers !== undefined && sharers.size > 0) {
      this.#showTogether(labels, sharers)
      return
    }
    this.#sharers.delete(key)
    for (const one of [this.#up, this.#notifications, ...this.#counters.values()]) one.remove(labels)
  }

  #show(session: LivenessTarget, up: boolean): void {
    const labels = labelsOf(session)
    const key = JSON.stringify(labels)
    const sharers = this.#sharers.get(key) ?? new Map<LivenessTarget, boolean>()
    this.#sharers.set(key, sharers.set(session, up))
    this.#showTogether(labels, sharers)
  }

  /** Up is what is all up: an alert is about the worst. */
  #showTogether(labels: MetricLabels, sharers: ReadonlyMap<LivenessTarget, boolean>): void {
    this.#up.set([...sharers.values()].every(up => up) ? 1 : 0, labels)
  }
}

/** A device is the link of a link-local peer, whose name has it, or a VRF (chapter 04 section 7.4). */
function labelsOf(session: LivenessTarget): MetricLabels {
  const peer = peerName(session)
  const { interface: device } = session
  return device === undefined || peer.endsWith(`%${device}`) ? { peer } : { peer, vrf: device }
}
