/**
 * A self-signed certificate in memory: RFC 5280 section 4.1 in DER (X.690), ECDSA P-256 with SHA-256 (RFC 5758).
 * Written here because it is needed in every speaker: docs/decisions/self-signed-certificate.md.
 */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { addressBytes, parseAddress } from '../../core/ip/index.ts'
import type { KeyPair } from '../../ports/index.ts'

const TAG = {
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
}
const OID = {
  commonName: [0x55, 4, 3],
  keyUsage: [0x55, 0x1d, 15],
  subjectAltName: [0x55, 0x1d, 17],
  extendedKeyUsage: [0x55, 0x1d, 37],
  serverAuth: [0x2b, 6, 1, 5, 5, 7, 3, 1],
  ecdsaWithSha256: [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2],
}
const HOUR_MS = 3_600_000
const YEAR_MS = 365 * 24 * HOUR_MS

/** For the given names, the first of which is the subject; valid from an hour before `nowMs` for ten years. */
export function selfSigned(names: readonly string[], nowMs: number): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = sequence(oid(OID.ecdsaWithSha256))
  const subject = sequence(der(TAG.set, sequence(oid(OID.commonName), der(TAG.utf8, Buffer.from(names[0] ?? '')))))
  const toBeSigned = sequence(
    der(0xa0, der(TAG.integer, Buffer.of(2))), // version 3
    der(TAG.integer, Buffer.concat([Buffer.of(1), randomBytes(15)])),
    algorithm,
    subject, // the issuer
    sequence(time(nowMs - HOUR_MS), time(nowMs + 10 * YEAR_MS)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions(names))),
  )
  const signature = sign('sha256', toBeSigned, privateKey)
  const certificate = sequence(toBeSigned, algorithm, der(TAG.bits, Buffer.of(0), signature))
  return { cert: pem('CERTIFICATE', certificate), key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string }
}

function extensions(names: readonly string[]): Buffer[] {
  const digitalSignature = der(TAG.bits, Buffer.of(7, 0x80))
  return [
    extension(OID.keyUsage, digitalSignature),
    extension(OID.extendedKeyUsage, sequence(oid(OID.serverAuth))),
    extension(OID.subjectAltName, sequence(...names.map(generalName))),
  ]
}

function extension(id: readonly number[], value: Buffer): Buffer {
  return sequence(oid(id), der(TAG.octets, value))
}

/** iPAddress [7] or dNSName [2], RFC 5280 section 4.2.1.6. */
function generalName(name: string): Buffer {
  const address = parseAddress(name)
  return address === undefined ? der(0x82, Buffer.from(name)) : der(0x87, Buffer.from(addressBytes(address)))
}

/** GeneralizedTime, which RFC 5280 wants from 2050 on and every reader takes before. */
function time(ms: number): Buffer {
  return der(TAG.generalizedTime, Buffer.from(`${new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`))
}

function oid(bytes: readonly number[]): Buffer {
  return der(TAG.oid, Buffer.from(bytes))
}

function sequence(...parts: Buffer[]): Buffer {
  return der(TAG.sequence, ...parts)
}

function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content])
  if (length < 0x100) return Buffer.concat([Buffer.of(tag, 0x81, length), content])
  return Buffer.concat([Buffer.of(tag, 0x82, length >> 8, length & 0xff), content])
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
