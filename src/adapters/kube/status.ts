/** What a refusal of the API means: meta/v1 Status objects and bare HTTP statuses to KubeError. */
import { KubeError, type KubeErrorCode } from '../../ports/index.ts'
import { type Fields, isFields, parseJson } from './json.ts'

/** Reasons of meta/v1 Status that say more than the HTTP status does. */
const BY_REASON: Readonly<Record<string, KubeErrorCode>> = {
  NotFound: 'NOT_FOUND',
  AlreadyExists: 'ALREADY_EXISTS',
  Conflict: 'CONFLICT',
  Gone: 'GONE',
  Expired: 'GONE',
  Invalid: 'INVALID',
  BadRequest: 'INVALID',
  Forbidden: 'FORBIDDEN',
  Unauthorized: 'UNAUTHORIZED',
  TooManyRequests: 'TOO_MANY_REQUESTS',
}

const BY_STATUS: Readonly<Record<number, KubeErrorCode>> = {
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  408: 'SERVER',
  409: 'CONFLICT',
  410: 'GONE',
  429: 'TOO_MANY_REQUESTS',
}

function codeOf(status: number, reason: unknown): KubeErrorCode {
  const known = typeof reason === 'string' && Object.hasOwn(BY_REASON, reason) ? BY_REASON[reason] : BY_STATUS[status]
  return known ?? (status >= 400 && status < 500 ? 'INVALID' : 'SERVER')
}

/** The error in an answer that is not a success; `what` names the request. */
export function errorOfAnswer(what: string, status: number, retryAfter: string | undefined, text: string): KubeError {
  const body = fieldsOf(text)
  const message = typeof body.message === 'string' && body.message !== '' ? body.message : firstWords(text)
  return new KubeError(codeOf(status, body.reason), `${what}: ${message || `HTTP status ${status}`}`, {
    status,
    retryAfterMs: retryAfterMs(retryAfter) ?? retryAfterMs(detail(body, 'retryAfterSeconds')),
  })
}

/** The error in a Status that arrived as an ERROR line of a watch. */
export function errorOfStatus(what: string, status: Fields): KubeError {
  const code = typeof status.code === 'number' ? status.code : 500
  const retryAfter = retryAfterMs(detail(status, 'retryAfterSeconds'))
  return new KubeError(codeOf(code, status.reason), `${what}: ${status.message ?? `status ${code}`}`, {
    status: code,
    retryAfterMs: retryAfter,
  })
}

function detail(status: Fields, name: string): string | undefined {
  const value = isFields(status.details) ? status.details[name] : undefined
  return typeof value === 'number' && value > 0 ? String(value) : undefined
}

/** RFC 9110 section 10.2.3 in its form of seconds; the API server sends no dates. */
function retryAfterMs(value: string | undefined): number | undefined {
  return value !== undefined && /^\d{1,6}$/.test(value) ? Number(value) * 1000 : undefined
}

function fieldsOf(text: string): Fields {
  try {
    const value = parseJson(text)
    return isFields(value) ? value : {}
  } catch {
    return {} // proxies answer in HTML and plain text
  }
}

function firstWords(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, 200)
}
