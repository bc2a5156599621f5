export * from './loader.ts'
export * from './metrics.ts'
export { type ConfigSources, changeMatters, snapshotOf, sourcesOf } from './sources.ts'
export type { ConfigStanding } from './standing.ts'
