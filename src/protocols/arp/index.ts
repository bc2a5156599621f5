export * from './packet.ts'
export * from './responder.ts'
export * from './voice.ts'
