/** The series of chapter 05 section 2.2 and 04 section 7.2, from the counters that the thread reports. */
import type { Counter, Gauge, LivenessStatus, Metrics } from '../../ports/index.ts'

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

export class BfdMetrics {
  readonly up: Gauge
  /** State changes told to whom they concern, which in the reference is zebra. */
  readonly notifications: Counter
  /** Chapter 04 section 5.9. */
  readonly late: Counter
  readonly discarded: Counter
  readonly #counters: ReadonlyMap<Counted, Counter>

  constructor(metrics: Metrics) {
    const labels = ['peer']
    this.up = metrics.gauge({
      name: 'metallb_bfd_session_up',
      help: 'BFD session state (1 is up, 0 is down)',
      labels,
    })
    const counter = ([name, help]: readonly [string, string]) =>
      metrics.counter({ name: `metallb_bfd_${name}`, help, labels })
    this.#counters = new Map(NAMES.map(field => [field, counter(COUNTED[field])]))
    this.notifications = counter(['zebra_notifications', 'Number of BFD zebra notifications'])
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

  /** Counts what was added since. */
  report(peer: string, before: Counts, after: LivenessStatus): void {
    for (const [field, counter] of this.#counters) counter.inc({ peer }, after[field] - before[field])
  }
}
