/** Refusals as Kubernetes words them: a Status object with reason, details and causes. */
import type { Resource } from './resources.ts'

/** One thing wrong with an object, `field: message` in texts (apimachinery field.Error). */
export interface Cause {
  reason: string
  field: string
  message: string
}

export interface Status {
  kind: 'Status'
  apiVersion: 'v1'
  metadata: Record<string, never>
  status: 'Failure' | 'Success'
  message?: string
  reason?: string
  details?: unknown
  code?: number
}

export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: number
  readonly reason: string
  readonly details?: { causes?: Cause[]; retryAfterSeconds?: number; [field: string]: unknown }

  constructor(code: number, reason: string, message: string, details?: ApiError['details']) {
    super(message)
    this.code = code
    this.reason = reason
    this.details = details
  }

  get status(): Status {
    const { message, reason, details, code } = this
    return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, details, code }
  }
}

/** `services`, `ipaddresspools.metallb.io`. */
export function qualified({ plural, group }: { plural: string; group: string }): string {
  return group === '' ? plural : `${plural}.${group}`
}

function about({ group, plural }: Resource, name: string) {
  return { name, group: group || undefined, kind: plural }
}

export function notFound(resource: Resource, name: string): ApiError {
  return new ApiError(404, 'NotFound', `${qualified(resource)} "${name}" not found`, about(resource, name))
}

export function unknownPath(): ApiError {
  return new ApiError(404, 'NotFound', 'the server could not find the requested resource', {})
}

export function alreadyExists(resource: Resource, name: string): ApiError {
  return new ApiError(409, 'AlreadyExists', `${qualified(resource)} "${name}" already exists`, about(resource, name))
}

export function conflict(resource: Resource, name: string, why: string): ApiError {
  const message = `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`
  return new ApiError(409, 'Conflict', message, about(resource, name))
}

export const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again'

export function badRequest(message: string): ApiError {
  return new ApiError(400, 'BadRequest', message)
}

export function methodNotAllowed(): ApiError {
  return new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})
}

export function unsupportedMediaType(message: string): ApiError {
  return new ApiError(415, 'UnsupportedMediaType', message)
}

export function expired(message: string): ApiError {
  return new ApiError(410, 'Expired', message)
}

export function forbidden(resource: { plural: string; group: string }, name: string, why: string): ApiError {
  const subject = name === '' ? `${qualified(resource)} is forbidden` : `${qualified(resource)} "${name}" is forbidden`
  const details = { name: name || undefined, group: resource.group || undefined, kind: resource.plural }
  return new ApiError(403, 'Forbidden', `${subject}: ${why}`, details)
}

export function invalid(resource: Resource, name: string, causes: Cause[]): ApiError {
  const texts = causes.map(({ field, message }) => `${field}: ${message}`)
  const list = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`
  const kind = resource.group === '' ? resource.kind : `${resource.kind}.${resource.group}`
  const details = { name, group: resource.group || undefined, kind: resource.kind, causes }
  return new ApiError(422, 'Invalid', `${kind} "${name}" is invalid: ${list}`, details)
}

export function required(field: string, detail = ''): Cause {
  return {
    reason: 'FieldValueRequired',
    field,
    message: detail === '' ? 'Required value' : `Required value: ${detail}`,
  }
}

export function invalidValue(field: string, value: unknown, detail: string): Cause {
  return { reason: 'FieldValueInvalid', field, message: `Invalid value: ${quoted(value)}: ${detail}` }
}

export function unsupportedValue(field: string, value: unknown, supported: readonly unknown[]): Cause {
  const list = supported.map(quoted).join(', ')
  return {
    reason: 'FieldValueNotSupported',
    field,
    message: `Unsupported value: ${quoted(value)}: supported values: ${list}`,
  }
}

export function forbiddenField(field: string, detail: string): Cause {
  return { reason: 'FieldValueForbidden', field, message: `Forbidden: ${detail}` }
}

export function duplicateValue(field: string, value: unknown): Cause {
  return { reason: 'FieldValueDuplicate', field, message: `Duplicate value: ${quoted(value)}` }
}

function quoted(value: unknown): string {
  if (typeof value === 'bigint') return String(value)
  return value === undefined ? '"null"' : JSON.stringify(value)
}
