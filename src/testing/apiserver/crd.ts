/** CustomResourceDefinitions: what they make of themselves when stored, and the resources they define. */
import { brokenRules } from './cel.ts'
import { type Cause, invalidValue, required } from './errors.ts'
import { toJson } from './json.ts'
import { jsonPath } from './jsonpath.ts'
import { type Fields, fieldsAt, isFields, type KubeJson, listAt, timestamp, valueAt } from './object.ts'
import { defineResource, type Resource } from './resources.ts'
import type { Schema } from './schema.ts'
import { age, type Column } from './table.ts'

const SCHEMA = 'schema.openAPIV3Schema'

export function admitCrd(crd: KubeJson): Cause[] {
  const spec = fieldsAt(crd, 'spec')
  const names = fieldsAt(spec, 'names')
  const { group } = spec
  const versions = listAt(crd, 'spec.versions')
  const causes = ['group', 'scope'].filter(name => typeof spec[name] !== 'string').map(name => required(`spec.${name}`))
  for (const name of ['plural', 'kind'])
    if (typeof names[name] !== 'string') causes.push(required(`spec.names.${name}`))
  if (causes.length > 0) return causes
  if (crd.metadata.name !== `${names.plural}.${group}`)
    causes.push(invalidValue('metadata.name', crd.metadata.name, 'must be spec.names.plural+"."+spec.group'))
  if (versions.filter(version => version.storage === true).length !== 1)
    causes.push(
      invalidValue('spec.versions', versions.length, 'must have exactly one version marked as storage version'),
    )
  versions.forEach((version, index) => {
    if (!isFields(valueAt(version, SCHEMA)))
      causes.push(required(`spec.versions[${index}].${SCHEMA}`, 'schemas are required'))
    else causes.push(...brokenRules(valueAt(version, SCHEMA) as Schema, `spec.versions[${index}].${SCHEMA}`))
  })
  if (causes.length === 0) complete(crd, spec, names, versions)
  return causes
}

function complete(crd: KubeJson, spec: Fields, names: Fields, versions: Fields[]): void {
  const kind = String(names.kind)
  const accepted = { singular: kind.toLowerCase(), listKind: `${kind}List`, ...names }
  crd.spec = { conversion: { strategy: 'None' }, ...spec, names: accepted }
  const old = fieldsAt(crd, 'status')
  const condition = (type: string, reason: string, message: string) => ({
    type,
    status: 'True',
    lastTransitionTime: crd.metadata.creationTimestamp ?? timestamp(),
    reason,
    message,
  })
  crd.status = {
    ...old,
    conditions: [
      condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
      condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
    ],
    acceptedNames: accepted,
    storedVersions: [...new Set([...strings(old.storedVersions), storageOf(versions)])],
  }
}

const storageOf = (versions: Fields[]) => String(versions.find(version => version.storage === true)!.name)

/** One resource a served version. */
export function crdResources(crd: KubeJson): Resource[] {
  const spec = fieldsAt(crd, 'spec')
  const names = fieldsAt(spec, 'names')
  const versions = listAt(crd, 'spec.versions')
  const storage = storageOf(versions)
  return versions
    .filter(version => version.served === true)
    .map(version =>
      defineResource({
        group: String(spec.group),
        version: String(version.name),
        storageVersion: storage,
        conversion: conversionOf(spec),
        kind: String(names.kind),
        plural: String(names.plural),
        singular: String(names.singular),
        shortNames: strings(names.shortNames),
        categories: strings(names.categories),
        namespaced: spec.scope === 'Namespaced',
        statusSubresource: isFields(valueAt(version, 'subresources.status')),
        countsGenerations: true,
        custom: true,
        selectable: listAt(version, 'selectableFields').map(field => String(field.jsonPath).replace(/^\./, '')),
        columns: listAt(version, 'additionalPrinterColumns').map(printerColumn),
        schema: valueAt(version, SCHEMA) as Schema,
      }),
    )
}

function conversionOf(spec: Fields): Fields | undefined {
  if (fieldsAt(spec, 'conversion').strategy !== 'Webhook') return undefined
  const config = valueAt(spec, 'conversion.webhook.clientConfig')
  return isFields(config) ? config : {}
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : []
}

function printerColumn(column: Fields): Column {
  const find = jsonPath(String(column.jsonPath))
  const type = String(column.type)
  return {
    name: String(column.name),
    type,
    format: column.format as string | undefined,
    description: column.description as string | undefined,
    priority: Number(column.priority ?? 0),
    cell: object => printed(find(object), type),
  }
}

/** As the apiextensions table convertor prints: dates as ages, lists and objects as JSON. */
function printed([value, ...more]: unknown[], type: string): unknown {
  if (value === undefined || value === null) return undefined
  if (more.length > 0) return [value, ...more].map(String).join(',')
  if (type === 'date') return age(value)
  if (type === 'integer' || type === 'number' || type === 'boolean') return value
  return typeof value === 'string' ? value : toJson(value)
}
