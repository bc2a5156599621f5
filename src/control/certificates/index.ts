export { CONVERTED_CRD, WEBHOOK_CONFIGURATION } from './inject.ts'
export { CertificateRotation } from './rotation.ts'
export { ServingPair } from './serving.ts'
