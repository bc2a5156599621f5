export * from './community.ts'
export * from './model.ts'
export * from './problems.ts'
export * from './same.ts'
