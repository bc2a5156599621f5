/** From a request body to an object fit for its resource: kind checked, unknown fields found, defaults, validation. */
import { apiVersionOf } from '../../core/object.ts'
import { checkRules } from './cel.ts'
import type { Cluster } from './cluster.ts'
import { badRequest, type Cause, invalid, invalidValue, required } from './errors.ts'
import { type Fields, isFields, type KubeJson } from './object.ts'
import type { Resource } from './resources.ts'
import { applyDefaults, prune, validate } from './schema.ts'
import { LABEL_KEY, LABEL_VALUE } from './selectors.ts'

export interface WriteOptions {
  readonly dryRun?: boolean
  /** What to do about unknown fields (query parameter fieldValidation). */
  readonly fieldValidation?: 'Strict' | 'Warn' | 'Ignore'
  /** Sentences for the Warning headers are added here. */
  readonly warnings?: string[]
}

/** The body as an object of the resource, in its version; throws 400 for one of another kind. */
export function decode(resource: Resource, body: unknown, options: WriteOptions): KubeJson {
  if (!isFields(body)) throw badRequest(`a ${resource.kind} must be a JSON object`)
  const { apiVersion = apiVersionOf(resource), kind = resource.kind, metadata = {} } = body
  if (apiVersion !== apiVersionOf(resource))
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${apiVersionOf(resource)})`,
    )
  if (kind !== resource.kind)
    throw badRequest(`the kind in the data (${kind}) does not match the expected kind (${resource.kind})`)
  if (!isFields(metadata)) throw badRequest(`${kind}: metadata must be an object`)
  const object: Fields = { apiVersion, kind, ...body, metadata: { ...metadata } }
  return withKnownFields(resource, object, options)
}

export function storageApiVersion({ group, storageVersion }: Resource): string {
  return group === '' ? storageVersion : `${group}/${storageVersion}`
}

function withKnownFields(resource: Resource, object: Fields, options: WriteOptions): KubeJson {
  if (resource.schema === undefined) return structuredClone(object) as KubeJson
  const unknown: string[] = []
  const kept = structuredClone(prune(object, resource.schema, unknown)) as KubeJson
  const problems = unknown.map(path => `unknown field "${path}"`)
  if (problems.length > 0 && options.fieldValidation === 'Strict') throw strictError(resource, problems)
  if (options.fieldValidation === 'Warn') options.warnings?.push(...problems)
  return kept
}

function strictError({ kind, version }: Resource, problems: string[]): Error {
  const what = `strict decoding error: ${problems.join(', ')}`
  return badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${what}`)
}

/** Defaults, validates and admits; throws 422 with everything that is wrong. Changes the object. */
export function admit(resource: Resource, object: KubeJson, before: KubeJson | undefined, cluster: Cluster): void {
  const { name = '' } = object.metadata
  const causes = nameCauses(resource, name)
  if (resource.schema !== undefined) {
    applyDefaults(object, resource.schema)
    causes.push(...validate(object, resource.schema))
    // Rules are asked only about values of the right form (apiextensions, validation in two steps).
    if (causes.length === 0) causes.push(...checkRules(object, before, resource.schema))
  }
  if (causes.length === 0)
    causes.push(...metadataCauses(object, before), ...(resource.admit?.(object, before, cluster) ?? []))
  if (causes.length > 0) throw invalid(resource, name, causes)
}

const NAMES = {
  subdomain: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  label: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
  'label-1035': /^[a-z]([-a-z0-9]*[a-z0-9])?$/,
  path: /^(?!\.{1,2}$)[^/%]+$/,
}

const NAME_RULES = {
  subdomain:
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  label:
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  'label-1035':
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  path: "may not be '.', '..' or contain '/' or '%'",
}

function nameCauses({ names }: Resource, name: string): Cause[] {
  if (name === '') return [required('metadata.name', 'name or generateName is required')]
  const longest = names === 'label' || names === 'label-1035' ? 63 : 253
  if (name.length > longest) return [invalidValue('metadata.name', name, `must be no more than ${longest} characters`)]
  return NAMES[names].test(name) ? [] : [invalidValue('metadata.name', name, NAME_RULES[names])]
}

function metadataCauses({ metadata }: KubeJson, before: KubeJson | undefined): Cause[] {
  const causes: Cause[] = []
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    if (!LABEL_KEY.test(key)) causes.push(invalidValue('metadata.labels', key, 'name part must be a qualified name'))
    if (!LABEL_VALUE.test(String(value)))
      causes.push(invalidValue('metadata.labels', value, 'a valid label must be an empty string or alphanumeric'))
  }
  for (const [key, value] of Object.entries(metadata.annotations ?? {}))
    if (typeof value !== 'string')
      causes.push(invalidValue(`metadata.annotations[${key}]`, value, 'an annotation is a string'))
  for (const [index, owner] of (metadata.ownerReferences ?? []).entries())
    if (!owner.uid) causes.push(required(`metadata.ownerReferences[${index}].uid`))
  const old = before?.metadata
  const added = (metadata.finalizers ?? []).filter(name => !(old?.finalizers ?? []).includes(name))
  if (old?.deletionTimestamp !== undefined && added.length > 0)
    causes.push({
      reason: 'FieldValueForbidden',
      field: 'metadata.finalizers',
      message: `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`,
    })
  return causes
}
