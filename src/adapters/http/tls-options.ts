/** The TLS flags of chapter 05 section 1.9, as Node's TLS options. */
import { createSecureContext, type SecureVersion } from 'node:tls'

export interface TlsFlags {
  readonly minVersion?: string
  readonly cipherSuites?: string
  readonly curvePreferences?: string
}

export interface TlsOptions {
  readonly minVersion: SecureVersion
  readonly ciphers?: string
  readonly ecdhCurve?: string
}

/** Version names are those of Kubernetes components. */
const VERSIONS: Readonly<Record<string, SecureVersion>> = {
  VersionTLS10: 'TLSv1',
  VersionTLS11: 'TLSv1.1',
  VersionTLS12: 'TLSv1.2',
  VersionTLS13: 'TLSv1.3',
}

/** TLS 1.3 suites are always on; the list chooses among those of TLS 1.2 and before. */
const TLS13_SUITES = ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256']

/** IANA names, as `--tls-cipher-suites` of Kubernetes takes them, and what OpenSSL calls them. */
const SUITES: Readonly<Record<string, string>> = {
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: 'ECDHE-ECDSA-AES128-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256: 'ECDHE-ECDSA-AES128-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: 'ECDHE-ECDSA-AES256-SHA',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 'ECDHE-RSA-AES128-SHA',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256: 'ECDHE-RSA-AES128-SHA256',
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: 'ECDHE-RSA-AES256-SHA',
  TLS_RSA_WITH_AES_128_GCM_SHA256: 'AES128-GCM-SHA256',
  TLS_RSA_WITH_AES_256_GCM_SHA384: 'AES256-GCM-SHA384',
  TLS_RSA_WITH_AES_128_CBC_SHA: 'AES128-SHA',
  TLS_RSA_WITH_AES_128_CBC_SHA256: 'AES128-SHA256',
  TLS_RSA_WITH_AES_256_CBC_SHA: 'AES256-SHA',
}

/** CurveIDs of the TLS registry. */
const CURVES: Readonly<Record<number, string>> = {
  23: 'P-256',
  24: 'P-384',
  25: 'P-521',
  29: 'X25519',
  4588: 'X25519MLKEM768',
}

/** Throws the errors whose texts chapter 05 section 1.9 fixes; warnings are for the log. */
export function parseTlsFlags(flags: TlsFlags): { options: TlsOptions; warnings: string[] } {
  const minVersion = parseVersion(flags.minVersion ?? '')
  const ciphers = parseSuites(flags.cipherSuites ?? '')
  const ecdhCurve = parseCurves(flags.curvePreferences ?? '')
  const only13 = minVersion === 'TLSv1.3'
  if (only13 && ciphers !== undefined && flags.minVersion)
    throw new Error('cipher suites cannot be configured with TLS 1.3')
  const ignored = only13 && ciphers !== undefined // D 12: 1.3 is only the default here
  return {
    options: { minVersion, ...(ciphers && !ignored && { ciphers }), ...(ecdhCurve && { ecdhCurve }) },
    warnings: ignored ? ['tls-cipher-suites has no effect at TLS 1.3, set tls-min-version to VersionTLS12'] : [],
  }
}

function parseVersion(text: string): SecureVersion {
  if (text === '') return 'TLSv1.3'
  if (Object.hasOwn(VERSIONS, text)) return VERSIONS[text]!
  throw new Error(`parsing tls-min-version: unknown tls version "${text}"`)
}

function parseSuites(text: string): string | undefined {
  const names = split(text)
  if (names.length === 0) return undefined
  const suites = names.filter(name => !TLS13_SUITES.includes(name)).map(openSslName)
  return [...TLS13_SUITES, ...suites].join(':')
}

function openSslName(name: string): string {
  if (Object.hasOwn(SUITES, name)) return SUITES[name]!
  throw new Error(`parsing tls-cipher-suites: Cipher suite ${name} not supported or doesn't exist`)
}

function parseCurves(text: string): string | undefined {
  const seen = new Set<number>()
  const names = split(text).map(item => {
    const id = curveId(item)
    if (seen.has(id)) throw new Error(`duplicate curve preference ${id}`)
    seen.add(id)
    return curveName(id)
  })
  return names.length === 0 ? undefined : names.join(':')
}

function curveId(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) > 65_535)
    throw new Error(`invalid curve preference "${text}": must be a numeric CurveID (0-65535)`)
  const id = Number(text)
  if (id === 0) throw new Error(`curve preference ${id} is out of range (must be 1-65535)`)
  return id
}

function curveName(id: number): string {
  const name = CURVES[id]
  if (name === undefined || !isSupported(name))
    throw new Error(`curve preference ${id} is not supported, use ${Object.keys(CURVES).join(', ')}`)
  return name
}

/** Whether this OpenSSL knows the curve: the post-quantum one came with 3.5. */
function isSupported(ecdhCurve: string): boolean {
  try {
    createSecureContext({ ecdhCurve })
    return true
  } catch {
    return false
  }
}

function split(text: string): string[] {
  return text.trim() === '' ? [] : text.split(',').map(item => item.trim())
}
