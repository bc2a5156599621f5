import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { x509Certificates as certificates } from './index.ts'

const NOW = Date.UTC(2026, 0, 1)
const HOST = 'metallb-webhook-service.metallb-system.svc'
const DAY_MS = 86_400_000

test('an authority as the reference makes it, and a serving certificate that it signed', async () => {
  const authority = await certificates.createAuthority(NOW)
  assert.match(authority.key, /^-----BEGIN RSA PRIVATE KEY-----/)
  assert.deepEqual(certificates.inspect(authority), {
    notBeforeMs: NOW - 3_600_000,
    notAfterMs: NOW + 3650 * DAY_MS,
    authority: true,
    names: ['cert'],
  })
  const serving = await certificates.issue(authority, HOST, NOW)
  assert.deepEqual(certificates.inspect(serving), {
    notBeforeMs: NOW - 3_600_000,
    notAfterMs: NOW + 365 * DAY_MS,
    authority: false,
    names: [HOST],
  })
  assert.equal(certificates.isIssuedBy(serving.cert, authority.cert), true)
  assert.equal(new X509Certificate(authority.cert).subject, 'CN=cert\nO=metallb')
  assert.deepEqual(new X509Certificate(serving.cert).keyUsage, ['1.3.6.1.5.5.7.3.1'])
  assert.equal(createPrivateKey(serving.key).asymmetricKeyDetails?.modulusLength, 2048)

  const other = await certificates.createAuthority(NOW)
  assert.equal(certificates.isIssuedBy(serving.cert, other.cert), false, 'of the same name, but by another key')
  assert.notEqual(new X509Certificate(other.cert).serialNumber, new X509Certificate(authority.cert).serialNumber)
  assert.equal(certificates.inspect({ cert: authority.cert, key: other.key }), undefined)
  assert.equal(certificates.first(`${authority.cert}${other.cert}`).trim(), authority.cert.trim())
})

test('an authority with a key by elliptic curve, in PKCS#8, can go on signing', async () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const authority = await certificates.createAuthority(NOW)
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  const serving = await certificates.issue({ cert: authority.cert, key }, HOST, NOW)
  assert.ok(new X509Certificate(serving.cert).verify(createPublicKey(key)))
})

test('what is no certificate is no certificate', () => {
  for (const text of ['', 'x', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'])
    assert.equal(certificates.inspect({ cert: text, key: text }), undefined)
  assert.equal(certificates.isIssuedBy('', ''), false)
})
