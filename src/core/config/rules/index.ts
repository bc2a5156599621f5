export * from './duplicates.ts'
export * from './overlap.ts'
export * from './selector-duplicates.ts'
export * from './selector-validity.ts'
