export { Cluster } from './cluster.ts'
export type { ClusterOptions } from './options.ts'
export { play, scenarioOf, textOf } from './scenario.ts'
