/**
 * The Certificates port: node:crypto reads, @peculiar/x509 writes. That library is loaded when a certificate is made,
 * once a year, and not before: it takes 22 MB (docs/decisions/self-signed-certificate.md).
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  webcrypto,
  X509Certificate,
} from 'node:crypto'
import { promisify } from 'node:util'
import type { X509CertificateCreateParamsName } from '@peculiar/x509'
import type { CertificateFacts, Certificates, KeyPair } from '../../ports/index.ts'

const HOUR_MS = 3_600_000
const YEAR_MS = 365 * 24 * HOUR_MS
const ALGORITHM = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
/** Not by elliptic curves: `--tls-cipher-suites` may leave none but those with RSA. */
const MODULUS_BITS = 2048

export const x509Certificates: Certificates = {
  inspect({ cert, key }: KeyPair): CertificateFacts | undefined {
    try {
      const certificate = new X509Certificate(cert)
      if (!certificate.checkPrivateKey(createPrivateKey(key))) return undefined
      return {
        notBeforeMs: Date.parse(certificate.validFrom),
        notAfterMs: Date.parse(certificate.validTo),
        authority: certificate.ca,
        names: dnsNames(certificate.subjectAltName ?? ''),
      }
    } catch {
      return undefined
    }
  },

  isIssuedBy(cert: string, authority: string): boolean {
    try {
      const issuer = new X509Certificate(authority)
      const certificate = new X509Certificate(cert)
      return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
    } catch {
      return false
    }
  },

  first(certs: string): string {
    return new X509Certificate(certs).toString()
  },

  /** As the reference makes it (chapter 01 section 4.5), but with a serial number of its own: RFC 5280 4.1.2.2. */
  async createAuthority(nowMs: number): Promise<KeyPair> {
    const x509 = await library()
    const pair = await newKey()
    const publicKey = await publicKeyOf(pair)
    const { digitalSignature, keyEncipherment, keyCertSign } = x509.KeyUsageFlags
    const certificate = await x509.X509CertificateGenerator.create({
      ...period(nowMs, 10 * YEAR_MS),
      subject: AUTHORITY_NAME,
      issuer: AUTHORITY_NAME,
      publicKey,
      signingKey: await signingKeyOf(pair),
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(digitalSignature | keyEncipherment | keyCertSign, true),
        new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'cert' }]),
        await x509.SubjectKeyIdentifierExtension.create(publicKey),
      ],
    })
    return { cert: `${certificate.toString('pem')}\n`, key: keyPem(pair) }
  },

  async issue(authority: KeyPair, name: string, nowMs: number): Promise<KeyPair> {
    const x509 = await library()
    const issuer = new x509.X509Certificate(new X509Certificate(authority.cert).raw)
    const pair = await newKey()
    const authorityKey = createPrivateKey(authority.key)
    const { digitalSignature, keyEncipherment } = x509.KeyUsageFlags
    const certificate = await x509.X509CertificateGenerator.create({
      ...period(nowMs, YEAR_MS),
      subject: [{ CN: [name] }],
      issuer: issuer.subject,
      publicKey: await publicKeyOf(pair),
      signingKey: await signingKeyOf(authorityKey),
      signingAlgorithm: signingOf(authorityKey),
      extensions: [
        new x509.KeyUsagesExtension(digitalSignature | keyEncipherment, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: name }]),
        await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ],
    })
    return { cert: `${certificate.toString('pem')}\n`, key: keyPem(pair) }
  },
}

const AUTHORITY_NAME: X509CertificateCreateParamsName = [{ CN: ['cert'] }, { O: ['metallb'] }]

async function library() {
  return (await import('./x509-library.ts')).x509
}

/** Whole seconds; an hour back, for clocks that are late. */
function period(nowMs: number, lengthMs: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(nowMs - HOUR_MS), notAfter: new Date(nowMs + lengthMs) }
}

async function newKey(): Promise<KeyObject> {
  return (await promisify(generateKeyPair)('rsa', { modulusLength: MODULUS_BITS })).privateKey
}

/** PKCS#1, which is what the reference can read (chapter 01 section 4.5). */
function keyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs1', format: 'pem' }) as string
}

/** How the key signs; users may have brought one by elliptic curve. */
function signingOf(key: KeyObject): { name: string; hash: string; namedCurve?: string } {
  if (key.asymmetricKeyType !== 'ec') return ALGORITHM
  const curve = key.asymmetricKeyDetails?.namedCurve ?? ''
  return { name: 'ECDSA', hash: 'SHA-256', namedCurve: CURVES[curve] ?? curve }
}

const CURVES: Readonly<Record<string, string>> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' }

function signingKeyOf(key: KeyObject): Promise<webcrypto.CryptoKey> {
  const bytes = key.export({ type: 'pkcs8', format: 'der' })
  return webcrypto.subtle.importKey('pkcs8', new Uint8Array(bytes), signingOf(key), false, ['sign'])
}

function publicKeyOf(key: KeyObject): Promise<webcrypto.CryptoKey> {
  const bytes = createPublicKey(key).export({ type: 'spki', format: 'der' })
  return webcrypto.subtle.importKey('spki', new Uint8Array(bytes), signingOf(key), true, ['verify'])
}

/** Of `DNS:a, IP Address:1.2.3.4, DNS:b`. */
function dnsNames(alternatives: string): string[] {
  return [...alternatives.matchAll(/DNS:([^,\s]+)/g)].map(([, name]) => name!)
}
