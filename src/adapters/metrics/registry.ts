/** The Metrics port on prom-client, and its text for Prometheus. */
import PromCounter from 'prom-client/lib/counter.js'
import PromGauge from 'prom-client/lib/gauge.js'
import PromHistogram from 'prom-client/lib/histogram.js'
import PromRegistry from 'prom-client/lib/registry.js'
import type { Counter, Gauge, Histogram, MetricDescription, Metrics } from '../../ports/index.ts'

type Kind = 'gauge' | 'counter' | 'histogram'
type Labels = Partial<Record<string, string>>

export class PrometheusMetrics implements Metrics {
  readonly #registry = new PromRegistry()
  readonly #known = new Map<string, { kind: Kind; metric: Gauge | Counter | Histogram }>()

  get contentType(): string {
    return this.#registry.contentType
  }

  /** Text exposition format 0.0.4. */
  async text(): Promise<string> {
    return await this.#registry.metrics()
  }

  gauge(description: MetricDescription): Gauge {
    return this.#once('gauge', description.name, () => {
      const gauge = new PromGauge(this.#config(description))
      return {
        set: (value, labels) => gauge.set((labels ?? {}) as Labels, value),
        remove: labels => gauge.remove(labels as Labels),
      }
    })
  }

  counter(description: MetricDescription): Counter {
    return this.#once('counter', description.name, () => {
      const counter = new PromCounter(this.#config(description))
      return {
        inc: (labels, by = 1) => counter.inc((labels ?? {}) as Labels, by),
        remove: labels => counter.remove(labels as Labels),
      }
    })
  }

  histogram(description: MetricDescription & { buckets: readonly number[] }): Histogram {
    return this.#once('histogram', description.name, () => {
      const histogram = new PromHistogram({ ...this.#config(description), buckets: [...description.buckets] })
      return { observe: (value, labels) => histogram.observe((labels ?? {}) as Labels, value) }
    })
  }

  /** A gauge, or a counter, whose single value is read when somebody asks. */
  sampled(kind: 'gauge' | 'counter', description: MetricDescription, sample: () => number): void {
    const config = this.#config(description)
    if (kind === 'gauge') {
      const gauge: PromGauge = new PromGauge({ ...config, collect: () => gauge.set(sample()) })
    } else {
      const collect = () => {
        counter.reset()
        counter.inc(sample())
      }
      const counter: PromCounter = new PromCounter({ ...config, collect })
    }
  }

  #config({ name, help, labels = [] }: MetricDescription) {
    return { name, help, labelNames: [...labels], registers: [this.#registry] }
  }

  #once<M extends Gauge | Counter | Histogram>(kind: Kind, name: string, make: () => M): M {
    const known = this.#known.get(name)
    if (known !== undefined && known.kind !== kind) throw new Error(`metric ${name} is a ${known.kind}, not a ${kind}`)
    const metric = known?.metric ?? make()
    this.#known.set(name, { kind, metric })
    return metric as M
  }
}
