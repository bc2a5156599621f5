export { type Farewell, farewellNotification } from './farewell.ts'
export type { MessageCounts } from './machine.ts'
export { Session, type SessionListener, type SessionOptions, type SessionPorts, type SessionStatus } from './session.ts'
