import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTlsFlags, type TlsFlags } from './tls-options.ts'

const RSA = 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'
const TLS13 = 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256'

const accepted: [TlsFlags, object][] = [
  [{}, { minVersion: 'TLSv1.3' }],
  [{ minVersion: 'VersionTLS12' }, { minVersion: 'TLSv1.2' }],
  [{ curvePreferences: '29, 23' }, { minVersion: 'TLSv1.3', ecdhCurve: 'X25519:P-256' }],
  [{ curvePreferences: '4588' }, { minVersion: 'TLSv1.3', ecdhCurve: 'X25519MLKEM768' }],
  [
    { minVersion: 'VersionTLS12', cipherSuites: `${RSA}, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384` },
    { minVersion: 'TLSv1.2', ciphers: `${TLS13}:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384` },
  ],
]
for (const [flags, options] of accepted)
  test(`accepted: ${JSON.stringify(flags)}`, () => {
    assert.deepEqual(parseTlsFlags(flags), { options, warnings: [] })
  })

test('E16: suites at the default version have no effect, with a warning (D 12)', () => {
  const { options, warnings } = parseTlsFlags({ cipherSuites: RSA })
  assert.deepEqual(options, { minVersion: 'TLSv1.3' })
  assert.equal(warnings.length, 1)
})

const refused: [TlsFlags, RegExp][] = [
  [{ minVersion: '1.2' }, /^parsing tls-min-version: unknown tls version "1.2"$/],
  [{ minVersion: 'constructor' }, /^parsing tls-min-version: unknown tls version "constructor"$/],
  [
    { minVersion: 'VersionTLS12', cipherSuites: 'RC4' },
    /^parsing tls-cipher-suites: Cipher suite RC4 not supported or doesn't exist$/,
  ],
  [{ minVersion: 'VersionTLS13', cipherSuites: RSA }, /^cipher suites cannot be configured with TLS 1\.3$/],
  [{ curvePreferences: '29,29' }, /^duplicate curve preference 29$/],
  [{ curvePreferences: '0' }, /^curve preference 0 is out of range \(must be 1-65535\)$/],
  [{ curvePreferences: 'x25519' }, /^invalid curve preference "x25519": must be a numeric CurveID \(0-65535\)$/],
  [{ curvePreferences: '70000' }, /^invalid curve preference "70000"/],
  [{ curvePreferences: '29,' }, /^invalid curve preference ""/],
  [{ curvePreferences: '30' }, /^curve preference 30 is not supported/],
]
for (const [flags, message] of refused)
  test(`refused: ${JSON.stringify(flags)}`, () => {
    assert.throws(() => parseTlsFlags(flags), { message })
  })
