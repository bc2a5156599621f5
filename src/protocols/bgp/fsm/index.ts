export * from './effect.ts'
export * from './event.ts'
export * from './state.ts'
export { type Step, step } from './step.ts'
