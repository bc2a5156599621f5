/** Structural OpenAPI v3 schemas of our kinds, and the CustomResourceDefinition (apiextensions.k8s.io/v1) of each. */
import type { KubeObject, ResourceType } from '../core/object.ts'

export interface ValidationRule {
  /** CEL. */
  rule: string
  message: string
}

/** The part of JSONSchemaProps that our kinds use. */
export interface Schema {
  type: 'object' | 'array' | 'string' | 'integer' | 'boolean'
  description?: string
  format?: 'int32' | 'int64' | 'date-time'
  default?: unknown
  enum?: string[]
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  minItems?: number
  pattern?: string
  required?: string[]
  properties?: Record<string, Schema>
  additionalProperties?: Schema
  items?: Schema
  'x-kubernetes-list-type'?: 'atomic' | 'map'
  'x-kubernetes-list-map-keys'?: string[]
  'x-kubernetes-map-type'?: 'atomic'
  'x-kubernetes-validations'?: ValidationRule[]
}

export interface PrinterColumn {
  name: string
  type: 'string' | 'boolean' | 'integer' | 'date'
  jsonPath: string
  /** Above 0: only in wide output. */
  priority?: number
}

export interface CustomResourceDefinitionVersion {
  name: string
  served: boolean
  storage: boolean
  deprecated?: boolean
  deprecationWarning?: string
  additionalPrinterColumns?: PrinterColumn[]
  schema: { openAPIV3Schema: Schema }
  subresources: { status: Record<string, never> }
}

export interface CustomResourceDefinition extends KubeObject {
  spec: {
    group: string
    names: { kind: string; listKind: string; plural: string; singular: string }
    scope: 'Namespaced'
    versions: CustomResourceDefinitionVersion[]
    conversion?: {
      strategy: 'Webhook'
      webhook: {
        clientConfig: { service: { name: string; namespace: string; path: string }; caBundle?: string }
        conversionReviewVersions: string[]
      }
    }
  }
}

export const customResourceDefinitions: ResourceType<CustomResourceDefinition> = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
}

type More = Omit<Partial<Schema>, 'type' | 'description'>

export const text = (description: string, more: More = {}): Schema => ({ type: 'string', description, ...more })

export const flag = (description: string, more: More = {}): Schema => ({ type: 'boolean', description, ...more })

export const int32 = (description: string, more: More = {}): Schema => ({
  type: 'integer',
  format: 'int32',
  description,
  ...more,
})

export const int64 = (description: string, more: More = {}): Schema => ({
  type: 'integer',
  format: 'int64',
  description,
  ...more,
})

export const list = (items: Schema, description: string, more: More = {}): Schema => ({
  type: 'array',
  items,
  description,
  ...more,
})

export const record = (properties: Record<string, Schema>, description: string, more: More = {}): Schema => ({
  type: 'object',
  properties,
  description,
  ...more,
})

/** A list of plain strings. */
export const texts = (description: string): Schema => list({ type: 'string' }, description)

/** meta/v1 LabelSelector. */
export function selector(description: string): Schema {
  const requirement = record(
    {
      key: text('Label key.'),
      operator: text('In, NotIn, Exists or DoesNotExist.'),
      values: list({ type: 'string' }, 'Values for In and NotIn; empty for the other operators.', ATOMIC_LIST),
    },
    'One requirement on a label.',
    { required: ['key', 'operator'] },
  )
  return record(
    {
      matchExpressions: list(requirement, 'Requirements that must all hold.', ATOMIC_LIST),
      matchLabels: {
        type: 'object',
        additionalProperties: { type: 'string' },
        description: 'Labels that must all be present with these values.',
      },
    },
    description,
    { 'x-kubernetes-map-type': 'atomic' },
  )
}

const ATOMIC_LIST: More = { 'x-kubernetes-list-type': 'atomic' }

export const selectors = (description: string): Schema =>
  list(selector('Label selector; {} matches everything.'), description)

/** For the fields that identify what a status object is about. */
export const IMMUTABLE: More = {
  'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'Value is immutable' }],
}

/** The `status` of the kinds whose status is never written. */
export const NO_STATUS: Schema = { type: 'object', description: 'Not used.' }

interface VersionOptions {
  description: string
  properties: Record<string, Schema>
  required?: string[]
  columns?: PrinterColumn[]
  deprecationWarning?: string
}

/** One version of a kind, with the fields every object has. */
export function crdVersion(name: string, storage: boolean, options: VersionOptions): CustomResourceDefinitionVersion {
  const { description, properties, required, columns, deprecationWarning } = options
  const openAPIV3Schema = record(
    {
      apiVersion: text('Versioned schema of this representation of the object.'),
      kind: text('REST resource that this object represents.'),
      metadata: { type: 'object' },
      ...properties,
    },
    description,
    required ? { required } : {},
  )
  return {
    name,
    served: true,
    storage,
    ...(deprecationWarning ? { deprecated: true, deprecationWarning } : {}),
    ...(columns ? { additionalPrinterColumns: columns } : {}),
    schema: { openAPIV3Schema },
    subresources: { status: {} },
  }
}

/** The definition of a kind of the group metallb.io; all are namespaced and have a status subresource. */
export function defineCrd(
  { group, kind, plural }: ResourceType,
  versions: CustomResourceDefinitionVersion[],
): CustomResourceDefinition {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
      scope: 'Namespaced',
      versions,
    },
  }
}
