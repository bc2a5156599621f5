/** The names of frr-k8s for the series of BGP and BFD, beside ours (chapter 04 section 7.4). */
import type { Counter, Gauge, MetricDescription, MetricLabels, Metrics } from '../../ports/index.ts'

/** `metallb_bgp_session_up{peer="192.0.2.1:179"}` is also `frrk8s_bgp_session_up{peer="192.0.2.1"}`, and so on. */
export function withFrrK8sNames(metrics: Metrics): Metrics {
  const gauges = new Map<string, GaugeTwins>()
  return {
    histogram: description => metrics.histogram(description),
    gauge(description) {
      const twins = gauges.get(description.name) ?? new GaugeTwins(metrics, description)
      gauges.set(description.name, twins)
      return twins
    },
    counter(description): Counter {
      const [ours, theirs] = [metrics.counter(description), metrics.counter(frrK8s(description))]
      return {
        inc(labels = {}, by = 1) {
          ours.inc(labels, by)
          theirs.inc(withoutPort(description, labels), by)
        },
        remove(labels) {
          ours.remove(labels)
          theirs.remove(withoutPort(description, labels))
        },
      }
    },
  }
}

/** Without the port two sessions with one router may have the same labels there: they are shown together. */
class GaugeTwins implements Gauge {
  readonly #name: MetricDescription
  readonly #ours: Gauge
  readonly #theirs: Gauge
  /** Values of ours, by the labels of theirs and of ours. */
  readonly #values = new Map<string, Map<string, number>>()

  constructor(metrics: Metrics, description: MetricDescription) {
    this.#name = description
    this.#ours = metrics.gauge(description)
    this.#theirs = metrics.gauge(frrK8s(description))
  }

  set(value: number, labels: MetricLabels = {}): void {
    this.#ours.set(value, labels)
    this.#show(labels, value)
  }

  remove(labels: MetricLabels): void {
    this.#ours.remove(labels)
    this.#show(labels, undefined)
  }

  #show(labels: MetricLabels, value: number | undefined): void {
    const theirs = withoutPort(this.#name, labels)
    const key = JSON.stringify(theirs)
    const values = this.#values.get(key) ?? new Map<string, number>()
    if (value === undefined) values.delete(JSON.stringify(labels))
    else values.set(JSON.stringify(labels), value)
    if (values.size === 0) {
      this.#values.delete(key)
      this.#theirs.remove(theirs)
      return
    }
    this.#values.set(key, values)
    this.#theirs.set(together(this.#name, [...values.values()]), theirs)
  }
}

/** Up is what is all up, as with ours: an alert is about the worst. Counts add up. */
function together({ name }: MetricDescription, values: readonly number[]): number {
  if (!/_(up|seconds|code)$/.test(name)) return values.reduce((sum, value) => sum + value, 0)
  return name.endsWith('_up') ? Math.min(...values) : Math.max(...values)
}

function frrK8s(description: MetricDescription): MetricDescription {
  return { ...description, name: description.name.replace(/^metallb_/, 'frrk8s_') }
}

/** BFD has no port in its labels. */
function withoutPort({ name }: MetricDescription, labels: MetricLabels): MetricLabels {
  const { peer } = labels
  return peer === undefined || !/^metallb_bgp_/.test(name) ? labels : { ...labels, peer: peer.replace(/:\d+$/, '') }
}
