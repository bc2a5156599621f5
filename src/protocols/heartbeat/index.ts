export * from './packet.ts'
export * from './peer.ts'
export * from './roster.ts'
