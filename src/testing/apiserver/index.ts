export type { TokenUser } from './auth.ts'
export { parseJson, toJson } from './json.ts'
export { type ApiServer, type Snapshot, startApiServer } from './server.ts'
