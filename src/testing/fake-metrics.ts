import type { Counter, Gauge, Histogram, MetricDescription, MetricLabels, Metrics } from '../ports/index.ts'

/** Keeps every series under `name{label="value",…}`, label names sorted. */
export class FakeMetrics implements Metrics {
  readonly series = new Map<string, number>()

  gauge({ name }: MetricDescription): Gauge {
    return {
      set: (value, labels) => void this.series.set(seriesKey(name, labels), value),
      remove: labels => void this.series.delete(seriesKey(name, labels)),
    }
  }

  counter({ name }: MetricDescription): Counter {
    return {
      inc: (labels, by = 1) => {
        const key = seriesKey(name, labels)
        this.series.set(key, (this.series.get(key) ?? 0) + by)
      },
      remove: labels => void this.series.delete(seriesKey(name, labels)),
    }
  }

  histogram({ name }: MetricDescription): Histogram {
    const count = this.counter({ name: `${name}_count`, help: '' })
    return { observe: (_value, labels) => count.inc(labels) }
  }
}

function seriesKey(name: string, labels: MetricLabels = {}): string {
  const parts = Object.keys(labels)
    .sort()
    .map(key => `${key}="${labels[key]}"`)
  return parts.length === 0 ? name : `${name}{${parts.join(',')}}`
}
