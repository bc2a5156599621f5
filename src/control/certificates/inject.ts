/** Who has to trust our authority, and what that takes: chapter 01 section 4.5. */
import type { CustomResourceDefinition, ValidatingWebhookConfigurationResource } from '../../api/index.ts'
import type { ObjectMeta } from '../../core/object.ts'

export const WEBHOOK_CONFIGURATION = 'metallb-webhook-configuration'
export const CONVERTED_CRD = 'bgppeers.metallb.io'

/** A merge patch (RFC 7396) that fails where somebody else wrote in between. */
export interface BundlePatch {
  readonly metadata: Pick<ObjectMeta, 'resourceVersion'>
}

/** Undefined where every entry has the bundle (base64). Lists are replaced as a whole. */
export function patchWebhooks(
  { metadata, webhooks = [] }: ValidatingWebhookConfigurationResource,
  caBundle: string,
): BundlePatch | undefined {
  if (webhooks.every(({ clientConfig }) => clientConfig?.caBundle === caBundle)) return undefined
  const injected = webhooks.map(webhook => ({ ...webhook, clientConfig: { ...webhook.clientConfig, caBundle } }))
  return { metadata: { resourceVersion: metadata.resourceVersion }, webhooks: injected } as BundlePatch
}

/** Undefined where the bundle is there, or nothing is converted by a webhook. */
export function patchConversion(
  { metadata, spec }: CustomResourceDefinition,
  caBundle: string,
): BundlePatch | undefined {
  const clientConfig = spec?.conversion?.webhook?.clientConfig
  if (clientConfig === undefined || clientConfig.caBundle === caBundle) return undefined
  const conversion = { webhook: { clientConfig: { caBundle } } }
  return { metadata: { resourceVersion: metadata.resourceVersion }, spec: { conversion } } as BundlePatch
}
