export { LinuxLiveness, type LinuxLivenessOptions } from './bfd-liveness.ts'
export { type Exclusions, NO_EXCLUSIONS, parseExclusions } from './exclusions.ts'
export { type LinuxHeartbeatOptions, LinuxHeartbeats } from './heartbeats.ts'
export { type LinuxLayer2Options, LinuxLayer2Responder } from './layer2-responder.ts'
