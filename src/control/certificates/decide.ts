/** What of the certificates in the Secret has to be made anew: chapter 01 section 4.5. */
import { decodeBase64Text, type SecretResource } from '../../api/index.ts'
import type { Reason } from '../../core/reason.ts'
import { formatTimestamp } from '../../core/timestamp.ts'
import type { CertificateFacts, Certificates, KeyPair } from '../../ports/index.ts'

/** A certificate that will not be valid for so much longer is renewed. */
export const RENEW_BEFORE_MS = 90 * 86_400_000

/** Empty texts where the Secret has none. */
export interface HeldKeys {
  readonly authority: KeyPair
  readonly serving: KeyPair
}

export interface Decision {
  /** Everything: the authority, and so the serving certificate too. */
  readonly renew: 'nothing' | 'serving certificate' | 'everything'
  /** Why; empty where nothing is renewed. */
  readonly reasons: readonly Reason[]
}

export function keysOf({ data = {} }: SecretResource): HeldKeys {
  const textOf = (key: string) => decodeBase64Text(data[key] ?? '') ?? ''
  return {
    authority: { cert: textOf('ca.crt'), key: textOf('ca.key') },
    serving: { cert: textOf('tls.crt'), key: textOf('tls.key') },
  }
}

/** `name` is the DNS name that API servers ask for. */
export function decideRenewal(keys: HeldKeys, name: string, nowMs: number, certificates: Certificates): Decision {
  const authority = authorityProblems(keys, nowMs, certificates)
  if (authority.length > 0) return { renew: 'everything', reasons: authority }
  const serving = servingProblems(keys, name, nowMs, certificates)
  return { renew: serving.length > 0 ? 'serving certificate' : 'nothing', reasons: serving }
}

function authorityProblems({ authority }: HeldKeys, nowMs: number, certificates: Certificates): Reason[] {
  const facts = certificates.inspect(authority)
  if (facts === undefined) return [unusable('ca.crt', 'ca.key', authority)]
  if (!facts.authority) return [reason('notAnAuthority', 'ca.crt', 'it may not sign certificates')]
  return timeProblems(facts, 'ca.crt', nowMs)
}

function servingProblems(
  { authority, serving }: HeldKeys,
  name: string,
  nowMs: number,
  certificates: Certificates,
): Reason[] {
  const facts = certificates.inspect(serving)
  if (facts === undefined) return [unusable('tls.crt', 'tls.key', serving)]
  const problems = timeProblems(facts, 'tls.crt', nowMs)
  if (!facts.names.includes(name)) problems.push(reason('wrongName', 'tls.crt', `it is not for ${name}`))
  if (!certificates.isIssuedBy(serving.cert, authority.cert))
    problems.push(reason('otherAuthority', 'tls.crt', 'the authority in ca.crt did not sign it'))
  return problems
}

function timeProblems({ notBeforeMs, notAfterMs }: CertificateFacts, field: string, nowMs: number): Reason[] {
  const problems: Reason[] = []
  if (nowMs < notBeforeMs)
    problems.push(reason('notYetValid', field, `it is valid only from ${formatTimestamp(notBeforeMs)} on`))
  if (nowMs + RENEW_BEFORE_MS >= notAfterMs)
    problems.push(reason('expires', field, `it is valid only until ${formatTimestamp(notAfterMs)}`))
  return problems
}

function unusable(certField: string, keyField: string, { cert, key }: KeyPair): Reason {
  if (cert === '' && key === '') return reason('missing', certField, 'there is none yet')
  return reason('unusable', certField, `it cannot be read, or ${keyField} is not its key`)
}

function reason(code: string, field: string, message: string): Reason {
  return { code, message, field }
}
