/** Kubeconfig files for users of the server. */
import { stringify } from 'yaml'
import type { CertifiedKey } from './pki.ts'

export interface KubeconfigParts {
  readonly url: string
  /** Absent over plain HTTP. */
  readonly caPem?: string
  readonly user: string
  readonly credentials: { readonly token: string } | CertifiedKey
  readonly namespace?: string
}

export function kubeconfig({ url, caPem, user, credentials, namespace }: KubeconfigParts): string {
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const authority = caPem === undefined ? {} : { 'certificate-authority-data': base64(caPem) }
  const secret =
    'token' in credentials
      ? { token: credentials.token }
      : {
          'client-certificate-data': base64(credentials.certPem),
          'client-key-data': base64(credentials.keyPem),
        }
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'testbed', cluster: { server: url, ...authority } }],
    users: [{ name: user, user: secret }],
    contexts: [{ name: 'testbed', context: { cluster: 'testbed', user, ...(namespace ? { namespace } : {}) } }],
    'current-context': 'testbed',
  })
}
