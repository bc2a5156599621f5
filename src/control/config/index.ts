export * from './loader.ts'
export * from './metrics.ts'
export type { ConfigSources } from './sources.ts'
export type { ConfigStanding } from './standing.ts'
