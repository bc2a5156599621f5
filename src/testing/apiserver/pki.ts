/** The server's own certificate authority: a serving certificate, and certificates for users. */
import 'reflect-metadata' // @peculiar/x509 does not load without it
import { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0])

export interface CertifiedKey {
  readonly certPem: string
  readonly keyPem: string
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const TEN_YEARS_MS = 10 * 365 * 86_400_000

/** Fields survive in a snapshot, so that clients of a restarted server go on trusting it. */
export interface Pki {
  readonly ca: CertifiedKey
  readonly serving: CertifiedKey
}

/** `names`: the IP addresses and host names that clients reach the server by. */
export async function createPki(names: readonly string[]): Promise<Pki> {
  const keys = await newKeys()
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(),
    serialNumber: serial(),
    name: 'CN=metallb-testbed-ca',
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  const caPair = { certPem: ca.toString('pem'), keyPem: await keyPem(keys.privateKey) }
  const alternatives = names.map(value => ({
    type: /^[\d.]+$|:/.test(value) ? ('ip' as const) : ('dns' as const),
    value,
  }))
  const extensions = [new x509.SubjectAlternativeNameExtension(alternatives), usage(x509.ExtendedKeyUsage.serverAuth)]
  return { ca: caPair, serving: await issue(caPair, 'CN=kube-apiserver', extensions) }
}

/** A client certificate; the user is its common name, the groups its organisations. */
export function issueUser({ ca }: Pki, user: string, groups: readonly string[] = []): Promise<CertifiedKey> {
  const subject = [{ CN: [user] }, ...groups.map(group => ({ O: [group] }))]
  return issue(ca, subject, [usage(x509.ExtendedKeyUsage.clientAuth)])
}

async function issue(
  ca: CertifiedKey,
  subject: x509.X509CertificateCreateParams['subject'],
  extensions: x509.Extension[],
) {
  const keys = await newKeys()
  const issuer = new x509.X509Certificate(ca.certPem)
  const certificate = await x509.X509CertificateGenerator.create({
    ...validity(),
    serialNumber: serial(),
    subject,
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey: await importKey(ca.keyPem),
    signingAlgorithm: ALGORITHM,
    extensions: [...extensions, await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey)],
  })
  return { certPem: certificate.toString('pem'), keyPem: await keyPem(keys.privateKey) }
}

const usage = (use: x509.ExtendedKeyUsage) => new x509.ExtendedKeyUsageExtension([use])
const newKeys = () =>
  webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>
const serial = () =>
  Buffer.from(webcrypto.getRandomValues(new Uint8Array(8)))
    .toString('hex')
    .replace(/^[89a-f]/, '1')

function validity() {
  return { notBefore: new Date(Date.now() - 3_600_000), notAfter: new Date(Date.now() + TEN_YEARS_MS) }
}

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')
}

function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(pem), ALGORITHM, true, ['sign'])
}
