export { ServiceController } from './controller.ts'
export type { ServiceControllerOptions, UsageSource } from './options.ts'
