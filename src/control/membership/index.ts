export * from './disabled.ts'
export * from './heartbeat.ts'
