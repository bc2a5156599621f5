export type { PeerContext } from './peer-session.ts'
export * from './protocol.ts'
export type { NeighborState, RouteState } from './state.ts'
