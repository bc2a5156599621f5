/** What API servers send and want back (admission.k8s.io/v1 AdmissionReview, apiextensions.k8s.io ConversionReview). */
export type Json = Readonly<Record<string, unknown>>

/** An answer over HTTP: a text, or an object that goes as JSON. */
export interface Reply {
  readonly status: number
  readonly body: string | Json
}

export type Handler = (body: unknown) => Promise<Reply>

export interface Verdict {
  readonly allowed: boolean
  /** HTTP status that the user's request gets. */
  readonly code: 200 | 400 | 403 | 500
  readonly message?: string
  /** Shown to the user whether or not the object is admitted. */
  readonly warnings?: readonly string[]
}

const REASONS = { 400: 'BadRequest', 403: 'Forbidden', 500: 'InternalError' } as const

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** The request of a review; a text says why there is none. */
export function requestOf(body: unknown, kind: string, versions: readonly string[]): Json | string {
  if (!isJson(body)) return `the body is not a ${kind}`
  if (body.kind !== kind || !versions.includes(String(body.apiVersion)))
    return `the body is not a ${kind} of ${versions.join(' or ')}`
  return isJson(body.request) ? body.request : `the ${kind} has no request`
}

/** Echoes the version of the review and the uid of its request, without the request. */
export function answerReview({ apiVersion, kind, request }: Json, response: Json): Reply {
  const uid = isJson(request) ? (textOf(request.uid) ?? '') : ''
  return { status: 200, body: { apiVersion, kind, response: { uid, ...response } } }
}

export function admissionResponse({ allowed, code, message, warnings = [] }: Verdict): Json {
  const status = code === 200 ? { code } : { status: 'Failure', code, reason: REASONS[code], message }
  return { allowed, status, ...(warnings.length > 0 ? { warnings } : {}) }
}
