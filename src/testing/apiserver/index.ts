export type { TokenUser } from './auth.ts'
export type { Failure, FaultRule, SeenRequest } from './faults.ts'
export { parseJson, toJson } from './json.ts'
export { type ApiServer, type ApiServerOptions, type Snapshot, startApiServer } from './server.ts'
