export type { PeerContext } from './peer-session.ts'
export * from './protocol.ts'
