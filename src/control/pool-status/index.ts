export { PoolStatusController, type PoolStatusControllerOptions } from './controller.ts'
