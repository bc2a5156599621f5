export { type Exclusions, excludes, NO_EXCLUSIONS, parseExclusions } from './exclusions.ts'
export { type LinuxLayer2Options, LinuxLayer2Responder } from './layer2-responder.ts'
export { runLayer2Worker } from './layer2-worker.ts'
