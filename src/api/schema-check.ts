/** What the API server would say about an object of our kinds before anybody looks at its meaning. */
import type { Finding } from '../core/config/index.ts'
import type { KubeObject } from '../core/object.ts'
import { crds } from './crds.ts'
import { readShape } from './parse/shape.ts'
import type { Schema } from './schema.ts'

const GROUP = 'metallb.io'
/** Kinds of the group that are not configuration: the operator's own. */
const FOREIGN = new Set(['MetalLB'])

export interface SchemaFinding extends Finding {
  readonly severity: 'error' | 'warning'
  /** What is wrong is that the field is there, not its value. */
  readonly unknown?: true
}

/** Whether the object claims to be one of our kinds; one without an apiVersion does by its kind. */
export function isOurs({ apiVersion, kind = '' }: KubeObject): boolean {
  if (apiVersion === undefined) return crds.some(crd => crd.spec.names.kind === kind)
  return String(apiVersion).split('/')[0] === GROUP && !FOREIGN.has(kind)
}

/**
 * Kind, version, name, types, required fields, bounds and (as warnings, because they are dropped) unknown fields. The
 * status is not looked at: nobody sets it by applying a file.
 */
export function checkSchema(object: KubeObject): SchemaFinding[] {
  const found = schemaOf(object)
  if ('path' in found) return [{ ...found, severity: 'error' }]
  const { properties = {}, ...rest } = found.schema
  const { status: _, ...kept } = properties
  const { status: __, ...given } = object as KubeObject & { status?: unknown }
  const schema = { ...rest, properties: kept }
  const findings: Finding[] = [...checkName(object)]
  readShape(schema, given, '', findings)
  const errors = findings.map(({ path, ...more }) => ({ path: path.replace(/^\./, ''), ...more }))
  const unknown = unknownFields(schema, given, '').map(({ path, ...more }) => ({ path: path.slice(1), ...more }))
  return [
    ...errors.map(finding => ({ ...finding, severity: 'error' as const })),
    ...unknown.map(finding => ({ ...finding, severity: 'warning' as const, unknown: true as const })),
  ]
}

function schemaOf({ apiVersion, kind = '' }: KubeObject): { schema: Schema } | Finding {
  const crd = crds.find(({ spec }) => spec.names.kind === kind)
  if (crd === undefined) {
    const hint =
      kind === 'AddressPool'
        ? 'AddressPool is gone since v0.14: use IPAddressPool and an advertisement'
        : nearKind(kind)
    return { path: 'kind', message: `there is no kind "${kind}" in ${GROUP}`, hint }
  }
  const names = crd.spec.versions.map(({ name }) => name)
  const version = crd.spec.versions.find(({ name }) => `${GROUP}/${name}` === apiVersion)
  const wanted = names.map(name => `${GROUP}/${name}`).join(' or ')
  if (version !== undefined) return { schema: version.schema.openAPIV3Schema }
  const message = apiVersion === undefined ? 'apiVersion is missing' : `${kind} has no version "${apiVersion}"`
  return { path: apiVersion === undefined ? '' : 'apiVersion', message, hint: `write apiVersion: ${wanted}` }
}

function nearKind(kind: string): string {
  const kinds = crds.map(({ spec }) => spec.names.kind)
  return nearest(kind, kinds) ?? `the kinds are ${kinds.filter(name => !/Status$|State$/.test(name)).join(', ')}`
}

/** RFC 1123 subdomain, as the names of our kinds have to be. */
function checkName({ metadata: { name } }: KubeObject): Finding[] {
  if (name.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(name)) return []
  const hint = "use lower-case letters, digits, '-' and '.', with a letter or digit at both ends"
  return [{ path: '.metadata.name', message: `"${name}" cannot be the name of an object`, hint }]
}

/** Fields that the schema does not know, as findings. */
export function unknownFields(schema: Schema, value: unknown, path: string): Finding[] {
  if (Array.isArray(value))
    return schema.items ? value.flatMap((item, index) => unknownFields(schema.items!, item, `${path}[${index}]`)) : []
  const { properties } = schema
  if (typeof value !== 'object' || value === null || properties === undefined) return []
  return Object.entries(value).flatMap(([name, field]) => {
    const at = `${path}.${name}`
    if (Object.hasOwn(properties, name)) return unknownFields(properties[name]!, field, at)
    const hint = nearest(name, Object.keys(properties))
    return [{ path: at, message: `unknown field "${name}", which has no effect`, ...(hint ? { hint } : {}) }]
  })
}

/** `did you mean …?` where one of the names is at most two typing errors away, or differs in case only. */
function nearest(name: string, names: readonly string[]): string | undefined {
  const lower = name.slice(0, 64).toLowerCase()
  const ranked = names.map(known => ({ known, edits: distance(lower, known.toLowerCase()) }))
  const [best] = ranked.sort((a, b) => a.edits - b.edits)
  return best !== undefined && best.edits <= 2 ? `did you mean ${best.known}?` : undefined
}

/** Levenshtein. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const swap = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(swap, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
