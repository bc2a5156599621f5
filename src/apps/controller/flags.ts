import { commonFlags } from '../common-flags.ts'
import type { FlagSpecs, FlagValues } from '../flags.ts'

/** Chapter 05 section 1.3. */
export const controllerFlags = {
  ...commonFlags,
  'ml-secret-name': {
    type: 'string',
    default: '',
    env: 'METALLB_ML_SECRET_NAME',
    help: 'memberlist secret to create, empty for none',
  },
  deployment: { type: 'string', default: '', env: 'METALLB_DEPLOYMENT', help: 'Deployment that owns that secret' },
  'service-conditions': {
    type: 'bool',
    default: true,
    help: 'say in the condition metallb.io/AddressAllocated of a Service whether it has its address, and why not',
  },
  'keep-until-replaced': {
    type: 'bool',
    default: false,
    help: 'a Service that asks for another address keeps the one it has until that can be had',
  },
  'no-pools-grace': {
    type: 'string',
    default: '0',
    help: 'for how long Services keep their addresses when there is no pool at all, e.g. 5m',
  },
  'disable-cert-rotation': { type: 'bool', default: false, help: 'do not make or rotate the webhook certificate' },
  'cert-dir': {
    type: 'string',
    default: '/tmp/k8s-webhook-server/serving-certs',
    help: 'where the webhook certificate is mounted',
  },
  'cert-service-name': { type: 'string', default: 'metallb-webhook-service', help: 'Service name in the certificate' },
  'webhook-secret': { type: 'string', default: 'metallb-webhook-cert', help: 'secret that keeps the certificate' },
  'webhook-mode': { type: 'string', default: 'enabled', help: 'enabled, disabled or onlywebhook' },
  'webhook-port': { type: 'int', default: 9443, help: 'HTTPS port of the webhooks' },
  'webhook-http2': { type: 'bool', default: false, help: 'offer HTTP/2 on the webhook port' },
  'strict-native': {
    type: 'bool',
    default: false,
    help: 'refuse in native mode what only FRR could do in the reference',
  },
} as const satisfies FlagSpecs

export type ControllerFlags = FlagValues<typeof controllerFlags>
