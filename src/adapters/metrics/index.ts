export { addProcessMetrics } from './process.ts'
export { PrometheusMetrics } from './registry.ts'
