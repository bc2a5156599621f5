/** The schemas of OpenAPI v3 documents: of custom resources in full, of built-in kinds as far as the server knows them. */
import { type Fields, isFields } from './object.ts'
import type { Resource } from './resources.ts'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

const text = (description: string) => ({ type: 'string', description })
const texts = (description: string) => ({
  type: 'object',
  description,
  additionalProperties: { type: 'string', default: '' },
})

const OBJECT_META = {
  type: 'object',
  description: 'ObjectMeta is metadata that all persisted resources must have.',
  properties: {
    annotations: texts('Annotations is an unstructured key value map that may be set to keep arbitrary metadata.'),
    creationTimestamp: { ...text('When the object was created, by the server.'), format: 'date-time' },
    deletionTimestamp: { ...text('When the object is to be deleted, by the server.'), format: 'date-time' },
    finalizers: { type: 'array', description: 'Who has to agree before the object goes.', items: { type: 'string' } },
    generateName: text('Prefix of a name that the server makes up.'),
    generation: { type: 'integer', format: 'int64', description: 'Counts changes of the desired state.' },
    labels: texts('Map of string keys and values that organize and select objects.'),
    managedFields: {
      type: 'array',
      description: 'Who set which fields, for server-side apply.',
      items: { type: 'object' },
    },
    name: text('Name must be unique within a namespace.'),
    namespace: text('Namespace defines the space within which each name must be unique.'),
    ownerReferences: {
      type: 'array',
      description: 'Objects this object goes with when they go.',
      items: { type: 'object' },
    },
    resourceVersion: text('Changes with every change of the object.'),
    uid: text('Unique in time and space.'),
  },
}

/** Components of a document with these resources, by name. */
export function componentSchemas(resources: readonly Resource[]): Fields {
  const own = resources.map(resource => [componentName(resource), objectSchema(resource)])
  return Object.fromEntries([[META, OBJECT_META], ...own])
}

/** As Kubernetes names them, `io.metallb.v1beta1.IPAddressPool`. */
export function componentName({ group, version, kind, custom }: Resource): string {
  if (custom) return [...group.split('.').reverse(), version, kind].join('.')
  return `io.k8s.api.${group === '' ? 'core' : group.split('.')[0]}.${version}.${kind}`
}

function objectSchema({ schema, group, version, kind, custom }: Resource): Fields {
  const own = (schema ?? { description: `${kind}: any fields; this server has no schema of them.` }) as Fields
  const properties = {
    ...(isFields(own.properties) ? own.properties : {}),
    apiVersion: text('APIVersion defines the versioned schema of this representation of an object.'),
    kind: text('Kind is a string value representing the REST resource this object represents.'),
    metadata: { description: 'Standard metadata.', allOf: [{ $ref: `#/components/schemas/${META}` }] },
  }
  const open = schema === undefined && !custom ? { 'x-kubernetes-preserve-unknown-fields': true } : {}
  const known = { 'x-kubernetes-group-version-kind': [{ group, version, kind }] }
  return { ...own, type: 'object', properties, ...open, ...known }
}
