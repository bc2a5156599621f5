export { ServiceController, type ServiceControllerOptions, type UsageSource } from './controller.ts'
