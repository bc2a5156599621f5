export * from './controller.ts'
export * from './kinds.ts'
