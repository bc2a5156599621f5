/** From what a list of the API (or a file) holds to objects that can be read without care, in name order. */
import type { Finding, Problem } from '../../core/config/index.ts'
import type { KubeObject, ObjectMeta } from '../../core/object.ts'
import { type CustomResourceDefinition, record, type Schema } from '../schema.ts'
import { readShape } from './shape.ts'

/** Where the problems of one parse gather. */
export type Report = (problem: Problem) => void

/** Reports problems of one object. */
export interface ObjectReport {
  error(finding: Finding): void
  warning(finding: Finding): void
}

export function reportOn(kind: string, object: KubeObject, report: Report): ObjectReport {
  const { namespace, name } = object.metadata
  const base = { kind, ...(namespace ? { namespace } : {}), name }
  return {
    error: finding => report({ ...base, ...finding, severity: 'error' }),
    warning: finding => report({ ...base, ...finding, severity: 'warning' }),
  }
}

const LABELS: Schema = { type: 'object', additionalProperties: { type: 'string' } }
const TEXT: Schema = { type: 'string' }
const METADATA = record(
  { name: TEXT, namespace: TEXT, labels: LABELS, annotations: LABELS },
  'The part of the metadata that configuration reads.',
  { required: ['name'] },
)

/** The schema of `spec` in the version that is stored; what is required at its top the rules say in their own words. */
export function specSchema(crd: CustomResourceDefinition): Schema {
  const { properties = {} } = crd.spec.versions.find(version => version.storage)!.schema.openAPIV3Schema
  const { required: _, ...spec } = properties.spec!
  return spec
}

/** How to read the objects of one kind. */
export interface Reading {
  readonly kind: string
  /** The kind in the words of messages, e.g. `pool`. */
  readonly noun: string
  /** Fields beside the metadata. */
  readonly fields: Record<string, Schema>
  /** Other words for what the schema finds. */
  readonly wording?: (name: string, finding: Finding) => Finding
}

/** The usable objects in ascending order of their names (byte order), and a report of the rest. */
export function readObjects<T extends KubeObject>(reading: Reading, objects: readonly T[], report: Report): T[] {
  const named = objects.map(object => ({ object, metadata: identityOf(object) })).sort(byName)
  const count = new Map<string, number>()
  for (const { metadata } of named) count.set(metadata.name, (count.get(metadata.name) ?? 0) + 1)
  const usable: T[] = []
  for (const { object, metadata } of named) {
    const on = reportOn(reading.kind, { metadata }, report)
    const { name } = metadata
    const read = readObject(reading, object, name, on)
    if (count.get(name) !== 1)
      on.error({ path: 'metadata.name', message: `duplicate definition of ${reading.noun} "${name}"` })
    else if (read !== undefined) usable.push(read)
  }
  return usable
}

function readObject<T extends KubeObject>(reading: Reading, object: T, name: string, on: ObjectReport): T | undefined {
  const { fields, wording = (_, finding) => finding } = reading
  const findings: Finding[] = []
  const schema = record({ metadata: METADATA, ...fields }, '', { required: ['metadata'] })
  const read = readShape(schema, object, '', findings) as T
  for (const { path, ...rest } of findings) on.error(wording(name, { path: path.slice(1), ...rest }))
  return findings.length === 0 ? read : undefined
}

/** A name to sort and report by, whatever the object is. */
function identityOf(object: KubeObject): ObjectMeta {
  const { name, namespace } = object?.metadata ?? {}
  return { name: typeof name === 'string' ? name : '', ...(typeof namespace === 'string' ? { namespace } : {}) }
}

function byName(a: KubeObject, b: KubeObject): number {
  const [first, second] = [sortKey(a), sortKey(b)]
  return first < second ? -1 : first > second ? 1 : 0
}

function sortKey({ metadata: { name, namespace = '' } }: KubeObject): string {
  return `${name}\u0000${namespace}`
}
