export type { Farewell } from './farewell.ts'
export type { Direction, MessageCounts } from './machine.ts'
export { Session, type SessionOptions, type SessionStatus } from './session.ts'
