/** Prometheus series. Names and help texts are facts of chapter 05 section 2. */
export type MetricLabels = Readonly<Record<string, string>>

export interface MetricDescription {
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
}

export interface Gauge {
  set(value: number, labels?: MetricLabels): void
  /** The series disappears; harmless where it is absent. */
  remove(labels: MetricLabels): void
}

export interface Counter {
  inc(labels?: MetricLabels, by?: number): void
  /** The series disappears; harmless where it is absent. */
  remove(labels: MetricLabels): void
}

export interface Histogram {
  observe(value: number, labels?: MetricLabels): void
}

/** Asking twice for one name answers the same metric. */
export interface Metrics {
  gauge(description: MetricDescription): Gauge
  counter(description: MetricDescription): Counter
  histogram(description: MetricDescription & { buckets: readonly number[] }): Histogram
}
