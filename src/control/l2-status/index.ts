export * from './l2-status.ts'
