/** X.509 (RFC 5280) as the inside sees it. All text is PEM, all times are milliseconds since 1970. */
export interface KeyPair {
  /** The certificate, or a chain that begins with it. */
  readonly cert: string
  readonly key: string
}

export interface CertificateFacts {
  readonly notBeforeMs: number
  readonly notAfterMs: number
  /** Whether it may sign certificates. */
  readonly authority: boolean
  /** DNS names it is for. */
  readonly names: readonly string[]
}

export interface Certificates {
  /** Undefined where certificate or key cannot be read, or do not belong together. */
  inspect(pair: KeyPair): CertificateFacts | undefined
  /** Whether the authority's key signed the certificate. */
  isIssuedBy(cert: string, authority: string): boolean
  /** The first certificate of a PEM text that may hold several. */
  first(certs: string): string
  createAuthority(nowMs: number): Promise<KeyPair>
  /** A serving certificate for one DNS name. */
  issue(authority: KeyPair, name: string, nowMs: number): Promise<KeyPair>
}
