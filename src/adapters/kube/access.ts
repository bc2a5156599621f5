/** How one API server is reached, and what convinces it: the result of reading credentials. */

export interface Access {
  /** Where this came from, for people: `in-cluster`, `kubeconfig /root/.kube/config, context lab`. */
  readonly source: string
  readonly server: URL
  readonly tls: TlsTrust
  /** Namespace of the context or of the service account. */
  readonly namespace?: string
  /** Asked before every request, so that rotated tokens and certificates are picked up. */
  identity(): Promise<Identity>
  /** The server answered 401: forgets what is cached. True where asking again may give something else. */
  renew(): boolean
}

export interface TlsTrust {
  readonly ca?: string
  readonly servername?: string
  /** False with insecure-skip-tls-verify. */
  readonly rejectUnauthorized: boolean
}

export interface Identity {
  readonly token?: string
  /** PEM, both or neither. */
  readonly cert?: string
  readonly key?: string
  /** Impersonation headers. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
}

/** Credentials that cannot be used; the message names file and field. */
export class CredentialsError extends Error {
  override readonly name = 'CredentialsError'
}
