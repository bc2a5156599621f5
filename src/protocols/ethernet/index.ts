export * from './eligibility.ts'
export * from './frame.ts'
