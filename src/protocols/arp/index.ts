export * from './announcer.ts'
export * from './packet.ts'
export * from './responder.ts'
export * from './station.ts'
