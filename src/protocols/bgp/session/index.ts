export type { SessionPorts } from './connections.ts'
export { type Farewell, farewellNotification } from './farewell.ts'
export type { Direction, MessageCounts } from './machine.ts'
export { Session, type SessionListener, type SessionOptions, type SessionStatus } from './session.ts'
