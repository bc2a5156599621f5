export * from './endpoint-slice.ts'
export * from './node.ts'
export * from './pod.ts'
export * from './service.ts'
