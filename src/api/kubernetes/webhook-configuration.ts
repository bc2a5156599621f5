/** admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration, as far as this project reads or writes it. */
import type { KubeObject, ResourceType } from '../../core/object.ts'

export interface ValidatingWebhook {
  name: string
  clientConfig: {
    url?: string
    service?: { name: string; namespace: string; path?: string; port?: number }
    /** Base64 of the PEM text of the authorities to trust. */
    caBundle?: string
  }
  [field: string]: unknown
}

export interface ValidatingWebhookConfigurationResource extends KubeObject {
  webhooks?: ValidatingWebhook[]
}

export const validatingWebhookConfigurations: ResourceType<ValidatingWebhookConfigurationResource> = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingWebhookConfiguration',
  plural: 'validatingwebhookconfigurations',
  namespaced: false,
}
