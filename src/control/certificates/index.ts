export { type Decision, decideRenewal, type HeldKeys, keysOf, RENEW_BEFORE_MS } from './decide.ts'
export { CONVERTED_CRD, patchConversion, patchWebhooks, WEBHOOK_CONFIGURATION } from './inject.ts'
export { CertificateRotation, CHECK_MS, type RotationOptions } from './rotation.ts'
export { ServingPair, type Source } from './serving.ts'
