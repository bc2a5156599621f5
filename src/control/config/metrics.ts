/** The four series about updates and configuration, chapter 01 section 3.2. */
import type { Counter, Gauge, Metrics } from '../../ports/index.ts'

export interface ClientMetrics {
  /** Incremented at the start of every reconcile of configuration, node and single service. */
  readonly updates: Counter
  /** Incremented when a handler answers `error` or `error, no retry`. */
  readonly updateErrors: Counter
  readonly configLoaded: Gauge
  readonly configStale: Gauge
}

export function clientMetrics(metrics: Metrics): ClientMetrics {
  const name = (suffix: string) => `metallb_k8s_client_${suffix}`
  return {
    updates: metrics.counter({
      name: name('updates_total'),
      help: 'Number of k8s object updates that have been processed.',
    }),
    updateErrors: metrics.counter({
      name: name('update_errors_total'),
      help: 'Number of k8s object updates that failed for some reason.',
    }),
    configLoaded: metrics.gauge({
      name: name('config_loaded_bool'),
      help: '1 if the MetalLB configuration was successfully loaded at least once.',
    }),
    configStale: metrics.gauge({
      name: name('config_stale_bool'),
      help: '1 if running on a stale configuration, because the latest config failed to load.',
    }),
  }
}

/** When the configuration was last looked at with which outcome, Unix time; 0: never (chapter 05 section 7.9). */
export interface OutcomeTimes {
  readonly success: Gauge
  readonly error: Gauge
}

export function outcomeTimes(metrics: Metrics): OutcomeTimes {
  const success = metrics.gauge({
    name: 'metallb_config_last_success_timestamp_seconds',
    help: 'Unix time at which the configuration was last found to be valid and in force; 0 before',
  })
  const error = metrics.gauge({
    name: 'metallb_config_last_error_timestamp_seconds',
    help: 'Unix time at which the configuration was last refused; 0 before',
  })
  success.set(0)
  error.set(0)
  return { success, error }
}
